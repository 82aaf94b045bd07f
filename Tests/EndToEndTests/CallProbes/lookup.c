/* lookup NODE SERVICE FAMILY TYPE PROTOCOL FLAGS: calls getaddrinfo(3). `-` for NODE or SERVICE is NULL; `-` for
 * FAMILY is a call without hints. */
#include "names.h"

int main(int count, char **arguments) {
    require(count == 7);
    const char *node = strcmp(arguments[1], "-") == 0 ? NULL : arguments[1];
    const char *service = strcmp(arguments[2], "-") == 0 ? NULL : arguments[2];
    struct addrinfo hints = {.ai_family = atoi(arguments[3]),
                             .ai_socktype = atoi(arguments[4]),
                             .ai_protocol = atoi(arguments[5]),
                             .ai_flags = atoi(arguments[6])},
                    *list = NULL;
    int code = getaddrinfo(node, service, strcmp(arguments[3], "-") == 0 ? NULL : &hints, &list);
    say("%s\n", code_name(code));
    if (code == 0) {
        say_list(list);
        freeaddrinfo(list);
    }
}
