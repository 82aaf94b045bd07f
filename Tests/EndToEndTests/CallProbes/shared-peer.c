/* shared-peer WAY HOST PORT: prints the result of getpeername(2) for a connection that another process of the tree
 * has made, while this one has connected nothing. WAY is how the socket comes: "exec", or "pass", by SCM_RIGHTS. */
#include "probe.h"

static void tell(int fd) {
    say("peer: %s\n", peer_of(fd));
    say("duplicate: %s\n", peer_of(dup(fd)));
    say("%s\n", echo(fd));
}

int main(int count, char **arguments) {
    require(count >= 3);
    const char *way = arguments[1];
    char number[20];
    if (strcmp(way, "tell") == 0) {
        tell(atoi(arguments[2]));
        return 0;
    }
    address target = numeric(arguments[2], arguments[3]);
    if (strcmp(way, "pass") == 0) {
        int pair[2];
        require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
        if (fork() == 0) {
            snprintf(number, sizeof number, "%d", pair[1]);
            execl("/proc/self/exe", arguments[0], "connect", arguments[2], arguments[3], number, NULL);
        }
        tell(take_descriptor(pair[0]));
        return 0;
    }
    int fd = stream(&target);
    require(connect(fd, &target.any, target.length) == 0);
    if (strcmp(way, "connect") == 0) {
        require(count == 5);
        pass_descriptor(atoi(arguments[4]), fd);
        return 0;
    }
    snprintf(number, sizeof number, "%d", fd);
    fflush(NULL);
    if (fork() == 0) execl("/proc/self/exe", arguments[0], "tell", number, NULL);
    wait(NULL);
}
