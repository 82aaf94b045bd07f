/* The library's mutable state in a process: words that are zero until somebody fills them.
 *
 * In C, because hooks run before any constructor did, and C's zero-filled storage exists from the start, while a
 * global of Swift is made at first use under a lock that a signal handler or a forked child could find taken.
 *
 * Every word is read and written atomically. */
#pragma once

#include <stdint.h>
#include <sys/auxv.h>

/* Address of the Runtime once it is made; 1: it cannot be made. Written once. */
uint64_t *_Nonnull process_runtime_word(void);
/* Whether there is a Runtime: whether anything has ever had to go through a proxy. */
int process_runtime_is_made(void);
/* Whether the process has put itself under a filter of system calls (seccomp(2)), after which the library makes none
 * for its own sake alone. A child is under its parent's. */
int process_is_confined(void);
void process_confine(void);
/* Whether another process is known to have ended. A confined one does not ask. */
int process_has_ended(int process);
/* The path by which the program was started, of a script its own; NULL where the kernel does not tell. */
static inline const char *_Nullable process_program_path(void) {
    return (const char *)getauxval(AT_EXECFN);
}
/* The user who the process acted for when it began to share memory with others. */
uint64_t *_Nonnull process_user_word(void);
/* What was told to the user, a bit for each kind of thing that is told once. */
uint64_t *_Nonnull process_told_word(void);
/* Where the log's file has its path (a C string that stays); 0: the log goes to standard error. */
uint64_t *_Nonnull process_log_file_word(void);
/* How many lines may be written now (see LogRateLimit). */
uint64_t *_Nonnull process_log_limit_word(void);
/* The state of DNS questions, QUESTION_WORDS words (see Questions). A child of fork has none. */
uint64_t *_Nonnull process_question_words(void);
/* Number of the thread that looks up a proxy; 0 when none does. */
uint64_t *_Nonnull process_lookup_lock_word(void);
