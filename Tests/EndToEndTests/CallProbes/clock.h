/* A clock that the probe sets. The library reads the time by clock_gettime(3), and finds this definition, in the
 * program, before libc's. CLOCK_MONOTONIC stands still until the probe moves it, or advances with each reading. So a
 * time limit ends exactly where it is set, on any machine. */
#pragma once

#include "probe.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <time.h>

/* In milliseconds. */
static atomic_long clock_time = 1000000;
/* The advance with each reading. */
static atomic_long clock_step;
/* The number of readings. */
static atomic_ulong clock_readings;

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (clock != CLOCK_MONOTONIC) {
        static _Atomic(void *) real;
        if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
        return ((__typeof__(&clock_gettime))real)(clock, time);
    }
    /* The reading is counted before it happens: a thread that sees a new count after the clock was moved knows that
     * the new time is read. */
    clock_readings++;
    long now = clock_time += clock_step;
    *time = (struct timespec){now / 1000, now % 1000 * 1000000};
    return 0;
}

unused static void move_clock(long milliseconds) { clock_time += milliseconds; }
