/* The library uses cached values of a descriptor for one tick of CLOCK_MONOTONIC_COARSE. */
#pragma once

#include "probe.h"

#include <time.h>

/* Waits until the cached values have expired. */
unused static void wait_for_ticks(void) {
    struct timespec start, now;
    require(clock_gettime(CLOCK_MONOTONIC_COARSE, &start) == 0);
    do {
        require(clock_gettime(CLOCK_MONOTONIC_COARSE, &now) == 0);
    } while ((now.tv_sec - start.tv_sec) * 1000000000 + now.tv_nsec - start.tv_nsec < 20000000);
}
