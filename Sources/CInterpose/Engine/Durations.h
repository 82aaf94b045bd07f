/* Time, in nanoseconds. */
#pragma once

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define FOREVER INT64_MAX
#define NANOSECONDS_IN_MILLISECOND INT64_C(1000000)
#define NANOSECONDS_IN_SECOND INT64_C(1000000000)

static inline int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * NANOSECONDS_IN_SECOND + time.tv_nsec;
}

static inline int64_t of_milliseconds(long milliseconds) {
    return milliseconds < 0 ? FOREVER : milliseconds * NANOSECONDS_IN_MILLISECOND;
}

static inline int64_t of_timespec(const struct timespec *time) {
    if (!time || time->tv_sec >= FOREVER / NANOSECONDS_IN_SECOND) return FOREVER;
    return (int64_t)time->tv_sec * NANOSECONDS_IN_SECOND + time->tv_nsec;
}

static inline struct timespec timespec_of(int64_t duration) {
    return (struct timespec){duration / NANOSECONDS_IN_SECOND, duration % NANOSECONDS_IN_SECOND};
}

/* Rounds up, so that no wait is shorter than requested. */
static inline int milliseconds_of(int64_t duration) {
    if (duration == FOREVER) return -1;
    int64_t rounded = (duration + NANOSECONDS_IN_MILLISECOND - 1) / NANOSECONDS_IN_MILLISECOND;
    return rounded > INT_MAX ? INT_MAX : (int)rounded;
}

/* Whether the kernel accepts the time; it also accepts NULL. */
static inline int is_duration(const struct timespec *time) {
    return !time || (time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < NANOSECONDS_IN_SECOND);
}

static inline int64_t end_of(int64_t duration) {
    if (duration == FOREVER) return FOREVER;
    int64_t start = now();
    return duration > FOREVER - start ? FOREVER : start + duration;
}

static inline int64_t until(int64_t end) {
    if (end == FOREVER) return FOREVER;
    int64_t left = end - now();
    return left > 0 ? left : 0;
}

static inline int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
