/* proxy-name NAME LIMIT: connects through a proxy whose name is in /etc/hosts only after the first attempt, and once
 * more LIMIT milliseconds later, by the clock that the probe sets. Nothing listens at the proxy's address. */
#include "clock.h"

static void attempt(const char *when) {
    address target = numeric("203.0.113.10", "80");
    int fd = stream(&target);
    say("%s: %s\n", when, outcome(connect(fd, &target.any, target.length)));
    close(fd);
}

int main(int count, char **arguments) {
    require(count == 3);
    attempt("unknown");
    FILE *hosts = fopen("/etc/hosts", "a");
    require(hosts && fprintf(hosts, "127.0.44.1 %s\n", arguments[1]) > 0 && fclose(hosts) == 0);
    move_clock(atol(arguments[2]) - 1);
    attempt("just before");
    move_clock(1);
    attempt("at the end");
}
