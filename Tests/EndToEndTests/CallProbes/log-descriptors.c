/* log-descriptors WHAT HOST PORT: connects while descriptor 2 is `kept`, or is something that the program uses for
 * data. Prints what was written there. */
#include "probe.h"

#include <sys/stat.h>

int main(int count, char **arguments) {
    require(count == 4);
    const char *what = arguments[1];
    address to = numeric(arguments[2], arguments[3]);
    int pair[2] = {-1, -1}, data = -1;
    if (strcmp(what, "file") == 0) {
        close(2);
        require((data = open("/dev/shm", O_TMPFILE | O_RDWR, 0600)) == 2);
    } else if (strcmp(what, "socket") == 0) {
        require(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0 && dup2(pair[0], 2) == 2);
    } else if (strcmp(what, "pipe") == 0) {
        require(pipe(pair) == 0 && dup2(pair[1], 2) == 2);
    } else if (strcmp(what, "closed") == 0) {
        close(2);
    }
    int fd = stream(&to);
    if (strcmp(what, "closed") == 0 && fd == 2) require((fd = dup(fd)) > 2 && close(2) == 0);
    say("connect: %s\n", outcome(connect(fd, &to.any, to.length)));
    if (data >= 0) {
        struct stat status;
        require(fstat(data, &status) == 0);
        say("written: %ld\n", (long)status.st_size);
    }
    if (pair[0] >= 0) {
        char bytes[1000];
        int from = strcmp(what, "pipe") == 0 ? pair[0] : pair[1];
        require(fcntl(from, F_SETFL, O_NONBLOCK) == 0);
        ssize_t length = read(from, bytes, sizeof bytes);
        say("written: %ld\n", length < 0 ? 0 : (long)length);
    }
}
