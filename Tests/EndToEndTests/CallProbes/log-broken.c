/* log-broken PROGRAM ARGUMENT...: starts a program whose standard error has no reader, or, with
 * PROBE_ERROR=connection, is a network connection. Prints how it ended, and the bytes that came by the connection. */
#include "probe.h"

int main(int count, char **arguments) {
    require(count > 1);
    const char *kind = getenv("PROBE_ERROR");
    int end, peer = -1, pair[2];
    if (kind && strcmp(kind, "connection") == 0) {
        address at;
        int listening = listener("127.0.0.1", "0", &at);
        end = stream(&at);
        require(connect(end, &at.any, at.length) == 0);
        require((peer = accept(listening, NULL, NULL)) >= 0);
    } else {
        require(pipe(pair) == 0 && close(pair[0]) == 0);
        end = pair[1];
    }
    pid_t child = fork();
    if (child == 0) {
        dup2(end, 2);
        execv(arguments[1], arguments + 1);
        _exit(98);
    }
    int status;
    close(end);
    require(waitpid(child, &status, 0) == child);
    say("status %d\n", status);
    if (peer >= 0) {
        char bytes[1000];
        say("came: %zd\n", read(peer, bytes, sizeof bytes));
    }
}
