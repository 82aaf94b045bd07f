/* What every hook checks first: whether any connections are pending, whether any datagrams are relayed, and on which
 * descriptors. For a program that has neither, this costs one load and a branch.
 *
 * In C, because every call that reads, writes or waits checks it before any other code of the library. */
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

/* Whether a call that reads or writes can go to libc without another look. */
static inline int pending_is_undisturbed(uint64_t word) {
    return (uint32_t)word == 0;
}

static inline int relayed_any(uint64_t word) {
    return (word & DATAGRAMS_RELAYED) != 0;
}

/* This process begins a handshake, and ends one that it began. If a forked child ends the handshake, it stays counted
 * until `pending_none` is called. */
static inline void pending_begin(void) {
    __atomic_fetch_add(&hot_state.pending, ((uint64_t)1 << 32) + 1, __ATOMIC_SEQ_CST);
}

static inline void pending_end(void) {
    __atomic_fetch_sub(&hot_state.pending, 1, __ATOMIC_SEQ_CST);
}

/* Records that no process had a pending handshake at some time after the word was `seen`. */
static inline void pending_none(uint64_t seen) {
    __atomic_compare_exchange_n(&hot_state.pending, &seen, seen & ~PENDING_COUNT, 0, __ATOMIC_SEQ_CST,
                                __ATOMIC_RELAXED);
}

/* From now on the process may have relayed sockets. */
static inline void relayed_begin(void) {
    __atomic_fetch_or(&hot_state.pending, DATAGRAMS_RELAYED, __ATOMIC_SEQ_CST);
}

/* Whether any pending handshake belongs to an internal connection of the library. Every waiting call advances these. */
static inline int internal_any(void) {
    return __atomic_load_n(&process_words()->internal, __ATOMIC_RELAXED) != 0;
}

static inline void internal_begin(void) {
    __atomic_fetch_add(&process_words()->internal, 1, __ATOMIC_SEQ_CST);
}

static inline void internal_end(void) {
    __atomic_fetch_sub(&process_words()->internal, 1, __ATOMIC_SEQ_CST);
}

/* The program's connections after a non-blocking connect(2). The kernel would advance them by itself; here every
 * waiting call of the process advances them. This count and that of the unwatched ones change one after the other, so
 * a thread may read them in between; writers hold the lock of the pending connections. */
static inline uint64_t unattended_count(void) {
    return __atomic_load_n(&process_words()->unattended, __ATOMIC_RELAXED);
}

static inline int unattended_any(void) {
    return unattended_count() != 0;
}

/* Whether no known epoll watches some of them. */
static inline int unattended_any_unwatched(void) {
    return __atomic_load_n(&process_words()->unwatched, __ATOMIC_RELAXED) != 0;
}

static inline void unattended_add(int64_t change) {
    if (__atomic_add_fetch(&process_words()->unattended, (uint64_t)change, __ATOMIC_SEQ_CST) == 0)
        __atomic_store_n(&process_words()->watching, 0, __ATOMIC_RELAXED);
}

/* Records that an epoll watches one of them. */
static inline void unattended_note_epoll(int epoll) {
    uint64_t watching = (uint64_t)epoll + 1, known = __atomic_load_n(&process_words()->watching, __ATOMIC_RELAXED);
    if (known != watching)
        __atomic_store_n(&process_words()->watching, known ? UINT64_MAX : watching, __ATOMIC_RELAXED);
}

/* Whether epolls other than this one may watch some of them. */
static inline int unattended_watched_elsewhere(int epoll) {
    const struct process_words *words = process_words();
    return unattended_count() > __atomic_load_n(&words->unwatched, __ATOMIC_RELAXED) &&
           __atomic_load_n(&words->watching, __ATOMIC_RELAXED) != (uint64_t)epoll + 1;
}

static inline void unattended_add_unwatched(int64_t change) {
    __atomic_fetch_add(&process_words()->unwatched, (uint64_t)change, __ATOMIC_SEQ_CST);
}

/* The next number of a round from 0 to `count` - 1. */
static inline uint64_t unattended_next(uint64_t count) {
    return count ? __atomic_fetch_add(&process_words()->hand, 1, __ATOMIC_RELAXED) % count : 0;
}

/* Whether calls that wait for something else must advance handshakes. */
static inline int pending_any_beside(void) {
    return internal_any() || unattended_any();
}

/* Marks of a descriptor. They are hints: the hooks do not see every close, so a mark may remain from an earlier
 * descriptor of that number. The code that finds a mark checks the socket itself. */
enum {
    /* A socket whose handshake is pending, or has failed with an error that the program has not read. */
    DESCRIPTOR_PENDING = 1,
    /* Another descriptor may have the same file. */
    DESCRIPTOR_DUPLICATED = 2,
    /* An epoll watches it. */
    DESCRIPTOR_WATCHED = 4,
    /* An epoll, and an epoll with a registration that was seen. */
    DESCRIPTOR_EPOLL = 8,
    DESCRIPTOR_USED_EPOLL = 16,
    /* A relayed socket: its datagrams go through the proxy, or the library answers them. */
    DESCRIPTOR_RELAYED = 32,
    /* A socket of the library. */
    DESCRIPTOR_OWN = 64,
    /* A substitute for the program's socket, or a socket that the program must see as another. */
    DESCRIPTOR_SUBSTITUTE = 128,
    /* A socket with options that a handshake must respect (see SocketOptions). */
    DESCRIPTOR_OPTIONS = 256,
    /* A socket whose own address and peer address differ in IP version. */
    DESCRIPTOR_MIXED = 512,
    /* An epoll whose registrations are all recorded: this process created it, or read them from the kernel. */
    DESCRIPTOR_NOTED_EPOLL = 1024,
    /* A stream whose bytes are encapsulated on their way to the proxy. */
    DESCRIPTOR_ENCAPSULATED = 2048,
    DESCRIPTOR_MARKS = 4095,
    /* Marks that are cleared after a check of the socket: each setting of one of them is counted. */
    DESCRIPTOR_COUNTED =
        DESCRIPTOR_PENDING | DESCRIPTOR_DUPLICATED | DESCRIPTOR_RELAYED | DESCRIPTOR_SUBSTITUTE,
    /* The marks of a descriptor without a record: everything must be checked. */
    DESCRIPTOR_ASKED = DESCRIPTOR_PENDING | DESCRIPTOR_RELAYED | DESCRIPTOR_SUBSTITUTE | DESCRIPTOR_OPTIONS |
                       DESCRIPTOR_MIXED | DESCRIPTOR_ENCAPSULATED,
};

/* Descriptors from here on have no marks, and are always checked. */
#define DESCRIPTOR_LIMIT (1 << 18)

/* Descriptor records lie in blocks of this many. The first block is static; the others are mapped when needed. */
#define DESCRIPTORS_IN_BLOCK 4096
#define DESCRIPTOR_BLOCKS (DESCRIPTOR_LIMIT / DESCRIPTORS_IN_BLOCK)

/* The marks, and in the upper bits a count of how often one of DESCRIPTOR_COUNTED was set, even if it was set already.
 * The count is long enough that a thread which was suspended for a while notices when the number has become another
 * socket's, or the socket has changed. */
extern uint32_t *_Nullable descriptor_marks[DESCRIPTOR_BLOCKS] __attribute__((visibility("hidden")));
/* The marks of descriptors whose block does not exist: none, or DESCRIPTOR_ASKED after an allocation has failed. */
extern uint32_t descriptor_marks_elsewhere __attribute__((visibility("hidden")));

static inline uint32_t descriptor_mark(int fd) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return fd < 0 ? 0 : DESCRIPTOR_ASKED;
    const uint32_t *block = __atomic_load_n(&descriptor_marks[fd / DESCRIPTORS_IN_BLOCK], __ATOMIC_ACQUIRE);
    if (!block) return __atomic_load_n(&descriptor_marks_elsewhere, __ATOMIC_RELAXED);
    return __atomic_load_n(&block[fd % DESCRIPTORS_IN_BLOCK], __ATOMIC_RELAXED);
}

/* Whether the socket may be a substitute, which the program takes for its own. */
static inline int descriptor_may_be_substitute(int fd) {
    return (descriptor_mark(fd) & DESCRIPTOR_SUBSTITUTE) != 0;
}

/* Whether the socket's own address in the kernel may differ from the one that the program must see. */
static inline int descriptor_may_be_renamed(int fd) {
    return (descriptor_mark(fd) & (DESCRIPTOR_SUBSTITUTE | DESCRIPTOR_MIXED)) != 0;
}

/* Whether the socket must be checked for a pending connection. */
static inline int descriptor_may_be_pending(int fd) {
    return pending_any(pending_word()) && (descriptor_mark(fd) & (DESCRIPTOR_PENDING | DESCRIPTOR_DUPLICATED));
}

/* Whether the descriptor's datagrams may be relayed. */
static inline int descriptor_may_be_relayed(int fd) {
    return relayed_any(pending_word()) && (descriptor_mark(fd) & DESCRIPTOR_RELAYED);
}

/* Whether the descriptor's stream may be encapsulated. */
static inline int descriptor_may_be_encapsulated(int fd) {
    return relayed_any(pending_word()) && (descriptor_mark(fd) & DESCRIPTOR_ENCAPSULATED);
}

/* Whether what the program reads and writes there may be other bytes than the kernel does. */
static inline int descriptor_may_be_transformed(int fd) {
    return relayed_any(pending_word()) && (descriptor_mark(fd) & (DESCRIPTOR_RELAYED | DESCRIPTOR_ENCAPSULATED));
}

/* Whether the library may remember route options of the socket that the kernel does not have. */
static inline int descriptor_may_have_way(int fd) {
    return (descriptor_mark(fd) & (DESCRIPTOR_RELAYED | DESCRIPTOR_DUPLICATED | DESCRIPTOR_OPTIONS)) != 0;
}

/* Sets marks; what they say must be true already. Returns all marks of the descriptor, and the count. */
uint32_t descriptor_set_mark(int fd, uint32_t mark);
/* Clears marks, unless one of DESCRIPTOR_COUNTED was set after they were `seen`. The caller must read the marks before
 * it checks the socket, because the result of that check may be outdated by now. */
void descriptor_clear_marks(int fd, uint32_t marks, uint32_t seen);
/* The same after a check has found them wrong. Does nothing in a child of vfork: it has descriptors of its own but its
 * parent's memory, so the marks belong to the parent's descriptors. */
void descriptor_clear_wrong_marks(int fd, uint32_t marks, uint32_t seen);
/* How often DESCRIPTOR_DUPLICATED was set. If it changes during a search for a socket's descriptors that finds none,
 * the search starts again: a duplicate may have got a number that was passed already. */
uint32_t descriptor_duplications(void);

/* All marked descriptors are below this number. */
int descriptor_end(void);
/* The first descriptor from `fd` on with one of the marks; -1 if there is none. */
int descriptor_next(int fd, uint32_t marks);
