/* A clock that the probe sets. The library asks for the time by clock_gettime(3), and finds this one, of the program,
 * before libc's. CLOCK_MONOTONIC stands still until the probe moves it, or goes on with each reading: so a time limit
 * ends just where it is set, on whatever machine. */
#pragma once

#include "probe.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <time.h>

/* In milliseconds. */
static atomic_long clock_time = 1000000;
/* What each reading moves it by. */
static atomic_long clock_step;
/* How often it was read. */
static atomic_ulong clock_readings;

int clock_gettime(clockid_t clock, struct timespec *time) {
    if (clock != CLOCK_MONOTONIC) {
        static _Atomic(void *) real;
        if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
        return ((__typeof__(&clock_gettime))real)(clock, time);
    }
    /* Counted before it is read: whoever counts after the clock was moved reads the new time. */
    clock_readings++;
    long now = clock_time += clock_step;
    *time = (struct timespec){now / 1000, now % 1000 * 1000000};
    return 0;
}

unused static void move_clock(long milliseconds) { clock_time += milliseconds; }
