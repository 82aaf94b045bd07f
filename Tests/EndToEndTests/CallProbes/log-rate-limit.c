/* log-rate-limit HOST PORT: connects to a port at which nothing listens, by a clock that the probe sets: so often
 * that lines are omitted, then once just before the next line is allowed, and once when it is. */
#include "clock.h"

static void fail(const address *to, int times) {
    while (times-- > 0) {
        int fd = stream(to);
        require(connect(fd, &to->any, to->length) < 0 && close(fd) == 0);
    }
}

int main(int count, char **arguments) {
    require(count == 3);
    address to = numeric(arguments[1], arguments[2]);
    fail(&to, 30);
    move_clock(999);
    fail(&to, 1);
    move_clock(1);
    fail(&to, 2);
}
