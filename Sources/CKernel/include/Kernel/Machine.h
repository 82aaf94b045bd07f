/* The machine: its time, its name, its random bytes. */
#pragma once

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <time.h>

#include "Call.h"

/* Seconds since 1970. */
static inline int64_t kernel_time(void) {
    struct timespec time = {0, 0};
    kernel_call(SYS_clock_gettime, CLOCK_REALTIME, (long)&time, 0, 0, 0, 0);
    return time.tv_sec;
}

/* False if the kernel refuses to sleep. */
static inline bool kernel_sleep(long nanoseconds) {
    struct timespec duration = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    long result = kernel_call(SYS_nanosleep, (long)&duration, 0, 0, 0, 0, 0);
    return result == 0 || result == -EINTR;
}

/* getrandom(2), without waiting. */
static inline long kernel_random(void *_Nonnull bytes, size_t count) {
    return kernel_call(SYS_getrandom, (long)bytes, (long)count, GRND_NONBLOCK, 0, 0, 0);
}

/* The machine's own name (uname(2)): up to HOST_NAME_MAX characters and a null byte. */
static inline int kernel_host_name(char name[_Nonnull HOST_NAME_MAX + 1]) {
    struct utsname names;
    _Static_assert(sizeof names.nodename == HOST_NAME_MAX + 1, "the longest name");
    if (kernel_call(SYS_uname, (long)&names, 0, 0, 0, 0, 0) != 0) return 0;
    for (int index = 0; index <= HOST_NAME_MAX; index++) name[index] = names.nodename[index];
    return 1;
}
