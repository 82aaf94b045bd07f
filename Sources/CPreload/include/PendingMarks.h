/* What the exported names must know before anything else: whether any handshakes are pending, whether any datagrams are
 * relayed, and which descriptors that may concern. One load and a branch decide for a program that has neither.
 *
 * In C, because it is tested in every call that reads, writes or waits, before any other code of the library. */
#pragma once

#include <stdint.h>

#include "ProcessIdentity.h"
#include "RealLibC.h"

/* Bits 0 to 30: pending connections on sockets that this process may hold; may be too high, never too low. Bit 31: the
 * process may hold relayed sockets. Bits 32 to 63: connections ever begun, so that two equal values mean that none was
 * begun in between. */
static inline uint64_t pending_word(void) {
    return __atomic_load_n(&hot_state.pending, __ATOMIC_RELAXED);
}

#define DATAGRAMS_RELAYED ((uint64_t)1 << 31)
#define PENDING_COUNT (DATAGRAMS_RELAYED - 1)

static inline int pending_any(uint64_t word) {
    return (word & PENDING_COUNT) != 0;
}

/* Whether a call that reads or writes can be of interest to nobody but libc. */
static inline int pending_is_undisturbed(uint64_t word) {
    return (uint32_t)word == 0;
}

static inline int relayed_any(uint64_t word) {
    return (word & DATAGRAMS_RELAYED) != 0;
}

/* This process begins a handshake, and ends one that it began. One that a process ended which forked from it is counted
 * until `pending_none` is called. */
static inline void pending_begin(void) {
    __atomic_fetch_add(&hot_state.pending, ((uint64_t)1 << 32) + 1, __ATOMIC_SEQ_CST);
}

static inline void pending_end(void) {
    __atomic_fetch_sub(&hot_state.pending, 1, __ATOMIC_SEQ_CST);
}

/* No process has any pending handshake, at a time after the word was `seen`. */
static inline void pending_none(uint64_t seen) {
    __atomic_compare_exchange_n(&hot_state.pending, &seen, seen & ~PENDING_COUNT, 0, __ATOMIC_SEQ_CST,
                                __ATOMIC_RELAXED);
}

/* From now on the process may have sockets whose datagrams are relayed. */
static inline void relayed_begin(void) {
    __atomic_fetch_or(&hot_state.pending, DATAGRAMS_RELAYED, __ATOMIC_SEQ_CST);
}

/* How many of the pending handshakes are the library's internal connections: a program that waits for whatever it is
 * waits for them, too. */
static inline int internal_any(void) {
    return __atomic_load_n(&process_words()->internal, __ATOMIC_RELAXED) != 0;
}

static inline void internal_begin(void) {
    __atomic_fetch_add(&process_words()->internal, 1, __ATOMIC_SEQ_CST);
}

static inline void internal_end(void) {
    __atomic_fetch_sub(&process_words()->internal, 1, __ATOMIC_SEQ_CST);
}

/* The program's connections of which connect(2) has returned without having waited: they go on in whatever call of this
 * process waits, as the kernel's own would go on by themselves. Two may not be counted alike by a thread that looks in
 * between; who counts them has their lock. */
static inline uint64_t unattended_count(void) {
    return __atomic_load_n(&process_words()->unattended, __ATOMIC_RELAXED);
}

static inline int unattended_any(void) {
    return unattended_count() != 0;
}

/* Those of them that no epoll is seen to watch. */
static inline int unattended_any_unwatched(void) {
    return __atomic_load_n(&process_words()->unwatched, __ATOMIC_RELAXED) != 0;
}

static inline void unattended_add(int64_t change) {
    if (__atomic_add_fetch(&process_words()->unattended, (uint64_t)change, __ATOMIC_SEQ_CST) == 0)
        __atomic_store_n(&process_words()->watching, 0, __ATOMIC_RELAXED);
}

/* An epoll is seen to watch one of them. */
static inline void unattended_note_epoll(int epoll) {
    uint64_t watching = (uint64_t)epoll + 1, known = __atomic_load_n(&process_words()->watching, __ATOMIC_RELAXED);
    if (known != watching)
        __atomic_store_n(&process_words()->watching, known ? UINT64_MAX : watching, __ATOMIC_RELAXED);
}

/* Whether some of them may be watched by other epolls than this one alone. */
static inline int unattended_watched_elsewhere(int epoll) {
    const struct process_words *words = process_words();
    return unattended_count() > __atomic_load_n(&words->unwatched, __ATOMIC_RELAXED) &&
           __atomic_load_n(&words->watching, __ATOMIC_RELAXED) != (uint64_t)epoll + 1;
}

static inline void unattended_add_unwatched(int64_t change) {
    __atomic_fetch_add(&process_words()->unwatched, (uint64_t)change, __ATOMIC_SEQ_CST);
}

/* The next of `count` numbers from 0 on, in turn. */
static inline uint64_t unattended_next(uint64_t count) {
    return count ? __atomic_fetch_add(&process_words()->hand, 1, __ATOMIC_RELAXED) % count : 0;
}

/* Whether calls that wait for something else go on with handshakes. */
static inline int pending_any_beside(void) {
    return internal_any() || unattended_any();
}

/* Marks of a descriptor. They are hints: not every close is seen, so a mark may be left over from an earlier descriptor
 * of that number. The code that finds one asks the socket itself. */
enum {
    /* A socket whose handshake is pending, or has failed and nobody took notice of it. */
    DESCRIPTOR_PENDING = 1,
    /* Another descriptor may have the same file. */
    DESCRIPTOR_DUPLICATED = 2,
    /* An epoll watches it. */
    DESCRIPTOR_WATCHED = 4,
    /* An epoll, and one that was seen to be asked to watch something. */
    DESCRIPTOR_EPOLL = 8,
    DESCRIPTOR_USED_EPOLL = 16,
    /* A socket whose datagrams go through the proxy, or are answered by the library. */
    DESCRIPTOR_RELAYED = 32,
    /* A socket of the library's own. */
    DESCRIPTOR_OWN = 64,
    /* A socket that stands in the place of the program's, or of which the program is to see another one. */
    DESCRIPTOR_SUBSTITUTE = 128,
    /* A socket that was given options which a handshake has to mind (see SocketOptions). */
    DESCRIPTOR_OPTIONS = 256,
    /* A socket whose own address is not of the version of IP of its peer's. */
    DESCRIPTOR_MIXED = 512,
    /* An epoll of which all that it watches was noted: it was made here, or asked. */
    DESCRIPTOR_NOTED_EPOLL = 1024,
    DESCRIPTOR_MARKS = 2047,
    /* Those that are taken away after a look at the socket: each time that one of them is set counts. */
    DESCRIPTOR_COUNTED =
        DESCRIPTOR_PENDING | DESCRIPTOR_DUPLICATED | DESCRIPTOR_RELAYED | DESCRIPTOR_SUBSTITUTE,
    /* Of a descriptor of which nothing is kept. */
    DESCRIPTOR_ASKED = DESCRIPTOR_PENDING | DESCRIPTOR_RELAYED | DESCRIPTOR_SUBSTITUTE | DESCRIPTOR_OPTIONS |
                       DESCRIPTOR_MIXED,
};

/* Descriptors from here on have no marks, and are always asked. */
#define DESCRIPTOR_LIMIT (1 << 18)

/* What is kept of each descriptor lies in blocks for so many of them; the first is there from the start, the others are
 * mapped by need. */
#define DESCRIPTORS_IN_BLOCK 4096
#define DESCRIPTOR_BLOCKS (DESCRIPTOR_LIMIT / DESCRIPTORS_IN_BLOCK)

/* The marks, and above them a count of how often one of DESCRIPTOR_COUNTED was set, be it there already or not: long
 * enough that a thread which is suspended for a while does not take a later socket of the same number, or what the
 * socket has become since, for what it has seen. */
extern uint32_t *_Nullable descriptor_marks[DESCRIPTOR_BLOCKS] __attribute__((visibility("hidden")));
/* What descriptors have whose block is not there: nothing, or once there was no memory for one, all that is asked. */
extern uint32_t descriptor_marks_elsewhere __attribute__((visibility("hidden")));

static inline uint32_t descriptor_mark(int fd) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return fd < 0 ? 0 : DESCRIPTOR_ASKED;
    const uint32_t *block = __atomic_load_n(&descriptor_marks[fd / DESCRIPTORS_IN_BLOCK], __ATOMIC_ACQUIRE);
    if (!block) return __atomic_load_n(&descriptor_marks_elsewhere, __ATOMIC_RELAXED);
    return __atomic_load_n(&block[fd % DESCRIPTORS_IN_BLOCK], __ATOMIC_RELAXED);
}

/* Whether the program may take the descriptor's socket for another one. */
static inline int descriptor_may_be_substitute(int fd) {
    return (descriptor_mark(fd) & DESCRIPTOR_SUBSTITUTE) != 0;
}

/* Whether the kernel's own address of the socket may be another than the program is to see. */
static inline int descriptor_may_be_renamed(int fd) {
    return (descriptor_mark(fd) & (DESCRIPTOR_SUBSTITUTE | DESCRIPTOR_MIXED)) != 0;
}

/* Whether the descriptor's socket is to be asked. */
static inline int descriptor_may_be_pending(int fd) {
    return pending_any(pending_word()) && (descriptor_mark(fd) & (DESCRIPTOR_PENDING | DESCRIPTOR_DUPLICATED));
}

/* Whether the descriptor's datagrams may be relayed. */
static inline int descriptor_may_be_relayed(int fd) {
    return relayed_any(pending_word()) && (descriptor_mark(fd) & DESCRIPTOR_RELAYED);
}

/* Whether the way of the socket's packets may be remembered elsewhere than in the kernel. */
static inline int descriptor_may_have_way(int fd) {
    return (descriptor_mark(fd) & (DESCRIPTOR_RELAYED | DESCRIPTOR_DUPLICATED | DESCRIPTOR_OPTIONS)) != 0;
}

/* Sets marks, when what they say is true already. Returns all that the descriptor has then, and the count. */
uint32_t descriptor_set_mark(int fd, uint32_t mark);
/* Takes marks away, unless one of DESCRIPTOR_COUNTED was set since the descriptor was `seen` so: who clears a mark has
 * to have read it before he looked at the socket, for what he knows of that may be out of date by now. */
void descriptor_clear_marks(int fd, uint32_t marks, uint32_t seen);
/* The same after a look that has found them wrong. A child of vfork has descriptors of its own, and the memory of its
 * parent: what it finds says nothing of the parent's. */
void descriptor_clear_wrong_marks(int fd, uint32_t marks, uint32_t seen);
/* How often DESCRIPTOR_DUPLICATED was set. If it changes during a search for a socket's descriptors that finds none,
 * the search starts again: a duplicate may have got a number that was passed already. */
uint32_t descriptor_duplications(void);

/* Marked descriptors are those below this number. */
int descriptor_end(void);
/* The first descriptor from `fd` on that has one of the marks; -1 when there is none. */
int descriptor_next(int fd, uint32_t marks);
