/* Which process this is: the one that loaded the library, a fork of it, by any call, or a child of vfork, which has its
 * parent's memory and must not change it.
 *
 * In C, because hooks ask before any constructor ran, and in children of vfork. Only two cases need a system call: the
 * first time that a process, or a thread, asks for its own ID, and children of vfork. */
#pragma once

#include <stdint.h>
#include <sys/single_threaded.h>

#include "Kernel/Call.h"

enum { QUESTION_WORDS = 256 };

/* Words that are zero again in a forked child. They lie in a page of their own, which the kernel clears for a child of
 * fork, and keeps for a child of vfork (madvise(2), MADV_WIPEONFORK). */
struct process_words {
    /* The process ID; 0 until it is asked for. */
    int id;
    /* The number of pending internal connections. */
    uint64_t internal;
    /* The number of the program's pending connections after a non-blocking connect(2), and how many of these no known
     * epoll watches. */
    uint64_t unattended, unwatched;
    /* The epoll that watches the others: its descriptor plus one; UINT64_MAX for several. */
    uint64_t watching;
    /* Where the next search for these connections begins. */
    uint64_t hand;
    /* The DNS questions that wait to be sent. */
    uint64_t questions[QUESTION_WORDS];
};

/* Large enough to contain a whole page. An aligned array would move all other variables to separate pages, and slow the
 * start of every program. */
extern char process_pages[2 * KERNEL_LARGEST_PAGE] __attribute__((visibility("hidden")));
static inline struct process_words *process_words(void) {
    const uintptr_t page = KERNEL_LARGEST_PAGE;
    return (struct process_words *)(((uintptr_t)process_pages + page - 1) & ~(page - 1));
}

/* Whether this is the process that loaded the library, or its fork; false in a child of vfork. */
int process_is_own(void);
/* The ID of that process. */
int process_own_id(void);
/* The calling thread's ID (gettid(2)), cached. */
int process_thread_id(void);
/* A word, never 0, that marks the calling thread as the owner of something in memory. No thread of a child has the same
 * word. */
uint64_t process_owner(void);
/* Whether the owner is gone: a thread that has ended, or a thread of the parent. The thread that forked continues in
 * the child, and keeps what it owns. */
int process_owner_is_gone(uint64_t owner);
/* How often the process has forked. */
uint32_t process_forks(void);
/* Whether other threads may run. */
static inline int process_is_threaded(void) {
    return !__libc_single_threaded;
}

/* The program begins. */
void process_begin(void);
/* Before a child is created with a copy of the memory; and in that child, if handlers of pthread_atfork(3) run. */
void process_count_fork(void);
void process_begin_child(void);
/* Before a call that creates a child with this very memory: vfork, whose child replaces the thread until it executes a
 * program or ends; or a call whose child runs beside the thread, or has its own thread-local variables. */
void process_before_vfork(void);
void process_before_sharing(void);
/* After such a child has ended, or executed a program. */
void process_after_sharing(void);
