/* What the exported names must know of handshakes in flight before anything else: whether there are any, and which
 * descriptors they may concern. One load and a branch decide for a program that has none.
 *
 * In C, because it is tested in every call that reads, writes or waits, before any other code of the library. */
#pragma once

#include <stdint.h>

/* How many handshakes are in flight, in the lower half; how many were begun, in the upper half: two equal values mean
 * that none was begun in between. Processes that fork from this one share it, as they share the sockets. */
extern uint64_t in_flight_words[512] __attribute__((visibility("hidden")));

static inline uint64_t in_flight_word(void) {
    return __atomic_load_n(&in_flight_words[0], __ATOMIC_RELAXED);
}

static inline int any_in_flight(uint64_t word) {
    return (uint32_t)word != 0;
}

/* Two words more that are common, for those that count handshakes which nobody is seen to wait for. */
static inline uint64_t *_Nonnull in_flight_unwatched_word(void) {
    return &in_flight_words[8];
}

/* Makes the words common to this process and those that will fork from it. Before the first handshake. */
void in_flight_share(void);

static inline void in_flight_begin(void) {
    __atomic_fetch_add(&in_flight_words[0], ((uint64_t)1 << 32) + 1, __ATOMIC_SEQ_CST);
}

static inline void in_flight_end(void) {
    __atomic_fetch_sub(&in_flight_words[0], 1, __ATOMIC_SEQ_CST);
}

/* Marks of a descriptor. They are hints: nobody tells when a descriptor ends, so a mark may be left over from an
 * earlier one of that number; who finds one asks the socket itself. */
enum {
    /* A socket whose handshake is in flight, or has failed and nobody took notice of it. */
    DESCRIPTOR_IN_FLIGHT = 1,
    /* Another descriptor may stand for the same. */
    DESCRIPTOR_DUPLICATED = 2,
    /* An epoll watches it. */
    DESCRIPTOR_WATCHED = 4,
    /* An epoll. */
    DESCRIPTOR_EPOLL = 8,
    DESCRIPTOR_MARKS = 15,
};

/* Descriptors from here on have no marks, and are always asked. */
#define DESCRIPTOR_LIMIT (1 << 20)

/* The marks, and above them a count of how often DESCRIPTOR_IN_FLIGHT was set. */
extern uint8_t descriptor_marks[DESCRIPTOR_LIMIT] __attribute__((visibility("hidden")));

static inline uint8_t descriptor_mark(int fd) {
    if ((unsigned)fd < DESCRIPTOR_LIMIT) return __atomic_load_n(&descriptor_marks[fd], __ATOMIC_RELAXED);
    return fd < 0 ? 0 : DESCRIPTOR_IN_FLIGHT;
}

/* Whether the descriptor's socket is to be asked. */
static inline int may_be_in_flight(int fd) {
    return any_in_flight(in_flight_word()) && (descriptor_mark(fd) & (DESCRIPTOR_IN_FLIGHT | DESCRIPTOR_DUPLICATED));
}

void descriptor_set_mark(int fd, uint8_t mark);
/* Takes marks away, unless the descriptor has come into flight since it was `seen` so. */
void descriptor_clear_marks(int fd, uint8_t marks, uint8_t seen);

/* Marked descriptors are those below this number. */
int descriptor_end(void);

/* Whether this is the process that the library was loaded or forked into: not so in a child of vfork, which has the
 * memory of its parent, and must leave it as it is. */
int process_is_own(void);
/* How often the process has forked. */
uint32_t process_forks(void);
/* Whether other threads may run. */
int process_is_threaded(void);
