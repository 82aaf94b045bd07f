/* arguments HOST PORT: connect(2) with odd and wrong arguments. */
#include "probe.h"

int main(int count, char **arguments) {
    require(count == 3);
    signal(SIGPIPE, SIG_IGN);
    address to = numeric(arguments[1], arguments[2]);
    char storage[sizeof(address) + 1];
    memcpy(storage + 1, &to.any, to.length);
    for (int length = 0; length <= 28; length++) {
        int fd = stream(&to);
        int result = connect(fd, &to.any, (socklen_t)length);
        if (result < 0) say("length %d: %s\n", length, outcome(result));
        close(fd);
    }
    for (unsigned index = 0; index < 3; index++) {
        socklen_t length = (socklen_t[]){128, 129, (socklen_t)-1}[index];
        int fd = stream(&to);
        say("length %u: %s\n", length, outcome(connect(fd, &to.any, length)));
        close(fd);
    }
    int fd = stream(&to);
    say("unaligned: %s\n", outcome(connect(fd, (struct sockaddr *)(storage + 1), to.length)));
    say("unaligned: %s\n", echo(fd));
    int pair[2];
    require(pipe(pair) == 0);
    say("no descriptor: %s\n", outcome(connect(-1, &to.any, to.length)));
    say("closed: %s\n", outcome(connect(1000, &to.any, to.length)));
    say("pipe: %s\n", outcome(connect(pair[0], &to.any, to.length)));
    say("no address: %s\n", outcome(connect(fd, (struct sockaddr *volatile)NULL, to.length)));
    int other = socket(to.any.sa_family == AF_INET ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    say("other family: %s\n", outcome(connect(other, &to.any, to.length)));
    int listening = socket(to.any.sa_family, SOCK_STREAM, 0);
    require(listen(listening, 1) == 0);
    say("listening: %s\n", outcome(connect(listening, &to.any, to.length)));
    int local = socket(AF_UNIX, SOCK_STREAM, 0);
    say("AF_UNIX: %s\n", outcome(connect(local, &to.any, to.length)));
}
