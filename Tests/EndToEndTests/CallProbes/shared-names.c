/* shared-names [-w] NAME...: looks up the names, one after the other. Prints for each the name that its address
 * leads to, or the error; then the number of new descriptors. With -w it then waits for the end of its input. */
#include "probe.h"

static void look_up(const char *name) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    char host[300];
    int error = getaddrinfo(name, NULL, &hints, &list);
    if (error) {
        say("%s: %s\n", name, error == EAI_AGAIN ? "EAI_AGAIN" : gai_strerror(error));
        return;
    }
    error = getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, NULL, 0, NI_NAMEREQD);
    say("%s: %s\n", name, error ? gai_strerror(error) : host);
    freeaddrinfo(list);
}

int main(int count, char **arguments) {
    int before = descriptor_count(), first = 1, waits = 0;
    if (count > 1 && strcmp(arguments[1], "-w") == 0) first = 2, waits = 1;
    for (int index = first; index < count; index++) look_up(arguments[index]);
    say("descriptors %+d\n", descriptor_count() - before);
    char byte;
    while (waits && read(0, &byte, 1) > 0) continue;
}
