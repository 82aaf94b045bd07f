/* shared-killed: starts processes that look up names without end, and kills them at random points. Prints whether
 * the names that others have looked up meanwhile are still right. */
#include "probe.h"

enum { PROCESSES = 200, AT_ONCE = 4, NAMES = 50, MOST_NAMES = 500 };

/* Looks up the name's address, which must lead back to the name. */
static int is_right(const char *name) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    char host[300];
    if (getaddrinfo(name, NULL, &hints, &list) != 0) return 0;
    int error = getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, NULL, 0, NI_NAMEREQD);
    freeaddrinfo(list);
    return error == 0 && strcmp(host, name) == 0;
}

int main(int count, char **arguments) {
    char name[64];
    if (count == 2) {
        for (int number = 0;; number++) {
            /* Fewer names in all than there are addresses. */
            snprintf(name, sizeof name, "n%d.of-%s.test", number % MOST_NAMES, arguments[1]);
            if (!is_right(name)) _exit(1);
            if (number == NAMES && write(1, "", 1) != 1) _exit(2);
        }
    }
    int wrong = 0;
    for (int round = 0; round < PROCESSES / AT_ONCE; round++) {
        pid_t children[AT_ONCE];
        int at_work[2];
        require(pipe(at_work) == 0);
        for (int index = 0; index < AT_ONCE; index++) {
            snprintf(name, sizeof name, "%d-%d", round, index);
            children[index] = fork();
            if (children[index] == 0) {
                dup2(at_work[1], 1);
                execl("/proc/self/exe", arguments[0], name, NULL);
            }
        }
        char byte;
        for (int index = 0; index < AT_ONCE; index++) require(read(at_work[0], &byte, 1) == 1);
        for (int index = 0; index < AT_ONCE; index++) {
            int status;
            kill(children[index], SIGKILL);
            require(waitpid(children[index], &status, 0) == children[index]);
            wrong += !WIFSIGNALED(status);
        }
        close(at_work[0]);
        close(at_work[1]);
        for (int number = 0; number < NAMES; number++) {
            snprintf(name, sizeof name, "n%d.of-%d-0.test", number, round);
            wrong += !is_right(name);
            snprintf(name, sizeof name, "n%d.of-%d-new.test", number, round);
            wrong += !is_right(name);
        }
    }
    say("%d wrong\n", wrong);
}
