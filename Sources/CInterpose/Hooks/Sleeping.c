/* Calls that sleep, and that wait for a signal. Pending connections advance meanwhile. */
#include "Interpose.h"

#include <signal.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "Engine/Durations.h"
#include "Engine/PollWait.h"

static int may_sleep_beside(void) {
    return pending_any_beside() && !process_is_confined();
}

/* Whether the kernel would accept the arguments. */
static int is_sound(const struct timespec *time, const struct timespec *left) {
    return is_readable(time, sizeof *time) && is_duration(time) && (!left || is_readable(left, sizeof *left));
}

/* Returns 0, or EINTR after a signal handler; stores the remaining duration in `left`. */
static int sleep_for(int64_t duration, struct timespec *left) {
    int64_t end = end_of(duration);
    if (poll_until(NULL, 0, end, NULL) == 0) return 0;
    if (left) *left = timespec_of(until(end));
    return EINTR;
}

int nanosleep(const struct timespec *duration, struct timespec *left) {
    if (!may_sleep_beside() || !is_sound(duration, left)) return REAL(nanosleep)(duration, left);
    return returned(-sleep_for(of_timespec(duration), left));
}

int __nanosleep(const struct timespec *duration, struct timespec *left) __attribute__((alias("nanosleep")));

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left) {
    if (!may_sleep_beside() || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME) ||
        !is_sound(time, left))
        return REAL(clock_nanosleep)(clock, flags, time, left);
    if (!(flags & TIMER_ABSTIME)) return sleep_for(of_timespec(time), left);
    struct timespec present;
    clock_gettime(clock, &present);
    int64_t duration = of_timespec(time) - of_timespec(&present);
    int error = duration > 0 ? sleep_for(duration, NULL) : 0;
    /* The clock may have been set meanwhile. */
    return error ? error : REAL(clock_nanosleep)(clock, flags, time, left);
}

unsigned sleep(unsigned seconds) {
    if (!may_sleep_beside()) return REAL(sleep)(seconds);
    struct timespec left;
    return sleep_for(seconds * NANOSECONDS_IN_SECOND, &left) == 0 ? 0 : (unsigned)left.tv_sec + (left.tv_nsec > 0);
}

int usleep(useconds_t microseconds) {
    if (!may_sleep_beside()) return REAL(usleep)(microseconds);
    return returned(-sleep_for(microseconds * INT64_C(1000), NULL));
}

int thrd_sleep(const struct timespec *duration, struct timespec *left) {
    if (!may_sleep_beside() || !is_sound(duration, left)) return REAL(thrd_sleep)(duration, left);
    return -(sleep_for(of_timespec(duration), left) != 0);
}

int pause(void) {
    return may_sleep_beside() ? poll_until(NULL, 0, FOREVER, NULL) : REAL(pause)();
}

int sigsuspend(const sigset_t *signals) {
    return may_sleep_beside() ? poll_until(NULL, 0, FOREVER, signals) : REAL(sigsuspend)(signals);
}
