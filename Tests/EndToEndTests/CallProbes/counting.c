/* counting PORT: prints whether its calls make a packet without a route, such as a query to a name server. */
#include "names.h"

static long long packets_without_route(void) {
    char keys[2048], values[2048];
    FILE *file = fopen("/proc/net/snmp", "r");
    require(file && fgets(keys, sizeof keys, file) && fgets(values, sizeof values, file));
    fclose(file);
    char *key_place, *value_place;
    char *key = strtok_r(keys, " \n", &key_place), *value = strtok_r(values, " \n", &value_place);
    while (key && value && strcmp(key, "OutNoRoutes") != 0) {
        key = strtok_r(NULL, " \n", &key_place);
        value = strtok_r(NULL, " \n", &value_place);
    }
    require(key && value);
    return atoll(value);
}

int main(int count, char **arguments) {
    require(count == 2);
    long long before = packets_without_route();
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    const char *names[] = {"web.test", "www.localhost", "inhosts.test", "x.invalid", "a..b", "nothing"};
    for (unsigned index = 0; index < sizeof names / sizeof *names; index++) {
        getaddrinfo(names[index], arguments[1], &hints, &list);
        gethostbyname(names[index]);
    }
    address real = numeric("203.0.113.11", "80");
    char host[NI_MAXHOST];
    getnameinfo(&real.any, real.length, host, sizeof host, NULL, 0, 0);
    gethostbyaddr(&real.v4.sin_addr, 4, AF_INET);
    int code = getaddrinfo("web.test", arguments[1], &hints, &list);
    say("web.test: %s\n", code_name(code));
    if (code == 0) {
        int fd = socket(list->ai_family, SOCK_STREAM, 0);
        say("connect: %s\n", outcome(connect(fd, list->ai_addr, list->ai_addrlen)));
        say("%s\n", echo(fd));
    }
    say("packets without a route: %s\n", packets_without_route() == before ? "none" : "some");
}
