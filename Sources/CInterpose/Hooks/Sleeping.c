/* Calls that sleep, and that wait for a signal. They wait for no descriptor; what this process has in flight goes on
 * meanwhile. */
#include "Interpose.h"

#include <signal.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { NANOSECONDS_IN_SECOND = 1000000000 };

static int may_sleep_beside(void) {
    return any_beside() && !process_is_confined();
}

static int is_duration(const struct timespec *time) {
    return time && time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < NANOSECONDS_IN_SECOND;
}

static struct timespec time_of(clockid_t clock) {
    struct timespec time;
    clock_gettime(clock, &time);
    return time;
}

/* What is left of a time, at another; none when that is past. */
static struct timespec left_of(struct timespec time, struct timespec other) {
    time.tv_sec -= other.tv_sec;
    time.tv_nsec -= other.tv_nsec;
    if (time.tv_nsec < 0) {
        time.tv_sec--;
        time.tv_nsec += NANOSECONDS_IN_SECOND;
    }
    return time.tv_sec < 0 ? (struct timespec){0} : time;
}

/* Returns 0, or EINTR when a handler has run; what is left of the duration goes to `left`. */
static int sleep_for(struct timespec duration, struct timespec *left) {
    struct timespec began = time_of(CLOCK_MONOTONIC);
    if (sleep_beside_handshakes(&duration, NULL) == 0) return 0;
    if (left) *left = left_of(duration, left_of(time_of(CLOCK_MONOTONIC), began));
    return EINTR;
}

int nanosleep(const struct timespec *duration, struct timespec *left) {
    if (!may_sleep_beside() || !is_duration(duration)) return REAL(nanosleep)(duration, left);
    return returned(-sleep_for(*duration, left));
}

int __nanosleep(const struct timespec *duration, struct timespec *left) __attribute__((alias("nanosleep")));

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left) {
    if (!may_sleep_beside() || (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME) ||
        !is_duration(time))
        return REAL(clock_nanosleep)(clock, flags, time, left);
    if (!(flags & TIMER_ABSTIME)) return sleep_for(*time, left);
    int error = sleep_for(left_of(*time, time_of(clock)), NULL);
    /* The clock may have been set. */
    return error ? error : REAL(clock_nanosleep)(clock, flags, time, left);
}

unsigned sleep(unsigned seconds) {
    if (!may_sleep_beside()) return REAL(sleep)(seconds);
    struct timespec left;
    return sleep_for((struct timespec){seconds, 0}, &left) == 0 ? 0 : (unsigned)left.tv_sec + (left.tv_nsec > 0);
}

int usleep(useconds_t microseconds) {
    if (!may_sleep_beside()) return REAL(usleep)(microseconds);
    return returned(-sleep_for((struct timespec){microseconds / 1000000, microseconds % 1000000 * 1000L}, NULL));
}

int thrd_sleep(const struct timespec *duration, struct timespec *left) {
    if (!may_sleep_beside() || !is_duration(duration)) return REAL(thrd_sleep)(duration, left);
    return -(sleep_for(*duration, left) != 0);
}

int pause(void) {
    return may_sleep_beside() ? sleep_beside_handshakes(NULL, NULL) : REAL(pause)();
}

int sigsuspend(const sigset_t *signals) {
    return may_sleep_beside() ? sleep_beside_handshakes(NULL, signals) : REAL(sigsuspend)(signals);
}
