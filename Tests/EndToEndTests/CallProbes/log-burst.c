/* log-burst HOST PORT TIMES [SECONDS]: connects TIMES times, and once more after SECONDS. Prints the duration in
 * seconds, rounded up. */
#include "probe.h"

#include <time.h>

int main(int count, char **arguments) {
    require(count >= 4);
    struct timespec began, ended;
    address to = numeric(arguments[1], arguments[2]);
    clock_gettime(CLOCK_MONOTONIC, &began);
    for (int left = atoi(arguments[3]); left > 0; left--) {
        int fd = stream(&to);
        require(connect(fd, &to.any, to.length) < 0);
        close(fd);
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    say("%ld\n", (long)(ended.tv_sec - began.tv_sec + 1));
    if (count == 4) return 0;
    sleep((unsigned)atoi(arguments[4]));
    int fd = stream(&to);
    require(connect(fd, &to.any, to.length) < 0);
}
