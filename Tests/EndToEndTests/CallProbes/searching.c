/* searching NAME...: res_search(3) for the address of each. */
#include "names.h"

#include <arpa/nameser.h>
#include <resolv.h>

static void say_answer(const char *call, const char *name, int length) {
    say("%s %s: %s\n", call, name, length > 0 ? "found" : host_error_name(h_errno));
}

int main(int count, char **arguments) {
    unsigned char answer[512];
    for (int index = 1; index < count; index++) {
        const char *name = arguments[index];
        say_answer("res_search", name, res_search(name, ns_c_in, ns_t_a, answer, sizeof answer));
        say_answer("res_query", name, res_query(name, ns_c_in, ns_t_a, answer, sizeof answer));
    }
}
