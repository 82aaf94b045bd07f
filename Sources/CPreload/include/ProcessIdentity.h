/* Which process this is: the one that the library was loaded into, one that was forked from it, by whatever call, or a
 * child of vfork, which has the memory of its parent, and must leave it as it is.
 *
 * In C, because hooks ask before any constructor did run, and in children of vfork. Nothing here makes a system call
 * but where a process, or a thread, asks for its own number for the first time, and in children of vfork. */
#pragma once

#include <stdint.h>
#include <sys/single_threaded.h>

#include "Kernel/Call.h"

enum { QUESTION_WORDS = 256 };

/* What a child begins with zeros for. It has a page of its own, which the kernel wipes in what fork copies, and leaves
 * in the memory of a child of vfork (madvise(2), MADV_WIPEONFORK). */
struct process_words {
    /* The process' number; 0 where nobody asked for it yet. */
    int id;
    /* How many of the pending handshakes are the library's internal connections. */
    uint64_t internal;
    /* How many of the program's own no call of connect(2) drives to their end, and how many of these no epoll is seen
     * to watch. */
    uint64_t unattended, unwatched;
    /* Which epoll watches the others of these: its number and 1, or UINT64_MAX for several. */
    uint64_t watching;
    /* Where the next search for them begins. */
    uint64_t hand;
    /* The DNS questions that wait for their turn. */
    uint64_t questions[QUESTION_WORDS];
};

/* There is a whole page in it. An aligned one would have all other variables begin on a page of their own, which every
 * program would pay for when it starts. */
extern char process_pages[2 * KERNEL_LARGEST_PAGE] __attribute__((visibility("hidden")));
static inline struct process_words *process_words(void) {
    const uintptr_t page = KERNEL_LARGEST_PAGE;
    return (struct process_words *)(((uintptr_t)process_pages + page - 1) & ~(page - 1));
}

/* Whether this is the process that the library was loaded or forked into: not so in a child of vfork. */
int process_is_own(void);
/* The number of that process. */
int process_own_id(void);
/* The calling thread's number (gettid(2)), which is asked for once. */
int process_thread_id(void);
/* A word for the calling thread, by which it owns something of the process' memory, and which no thread of a child has.
 * Not 0. */
uint64_t process_owner(void);
/* Whether an owner is no thread of this process any more: it has ended, or is one of the parent's, and not the one that
 * has forked, which may go on with what it has. */
int process_owner_is_gone(uint64_t owner);
/* How often the process has forked. */
uint32_t process_forks(void);
/* Whether other threads may run. */
static inline int process_is_threaded(void) {
    return !__libc_single_threaded;
}

/* The program begins. */
void process_begin(void);
/* Before a child is made with a copy of the memory; and in that child, where it runs handlers of pthread_atfork(3). */
void process_count_fork(void);
void process_begin_child(void);
/* Before a call that makes a child with this memory itself: one that has the thread's own, until it executes a program
 * or ends (vfork), or one that runs beside it, or has thread-local variables of its own. */
void process_before_vfork(void);
void process_before_sharing(void);
/* When such a child is known to have ended, or to have executed a program. */
void process_after_sharing(void);
