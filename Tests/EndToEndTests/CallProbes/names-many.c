/* names-many FIRST COUNT: looks up the name FIRST, then COUNT others, then one more. Prints how many had an address,
 * the result of the last look-up, and what the address of FIRST means then. */
#include "names.h"

static int look_up(const char *name, struct sockaddr_in *at) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    int code = getaddrinfo(name, NULL, &hints, &list);
    if (code != 0) return code;
    memcpy(at, list->ai_addr, sizeof *at);
    freeaddrinfo(list);
    return 0;
}

int main(int count, char **arguments) {
    require(count == 3);
    struct sockaddr_in first, other;
    char name[64], host[300];
    int named = look_up(arguments[1], &first) == 0, most = atoi(arguments[2]);
    for (int index = 0; index < most; index++) {
        snprintf(name, sizeof name, "n%d.test", index);
        named += look_up(name, &other) == 0;
    }
    say("%d names\n", named);
    say("one more: %s\n", code_name(look_up("more.test", &other)));
    int code = getnameinfo((struct sockaddr *)&first, sizeof first, host, sizeof host, NULL, 0, NI_NAMEREQD);
    say("the first: %s\n", code ? code_name(code) : host);
}
