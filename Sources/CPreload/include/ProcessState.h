/* The library's mutable state in a process: words that begin as zero.
 *
 * In C, because hooks run before any constructor, and C's zero-filled storage exists from the start. Swift creates a
 * global at its first use, under a lock that a signal handler or a forked child could find taken.
 *
 * Every access to a word is atomic. */
#pragma once

#include <stdint.h>
#include <sys/auxv.h>

/* The address of the Runtime once it exists; 1: it cannot be created. Written once. */
uint64_t *_Nonnull process_runtime_word(void);
/* Whether the Runtime exists: whether any call has needed a proxy so far. */
int process_runtime_is_made(void);
/* Whether the process has installed a system call filter (seccomp(2)), or inherited one from its parent. From then on
 * the library makes no optional system calls. */
int process_is_confined(void);
void process_confine(void);
/* Whether another process is known to have ended. False in a confined process, which does not ask. */
int process_has_ended(int process);
/* The path by which the program was started; for a script, the script's. NULL if the kernel does not provide it. */
static inline const char *_Nullable process_program_path(void) {
    return (const char *)getauxval(AT_EXECFN);
}
/* The effective user of the process when it began to share memory with others. */
uint64_t *_Nonnull process_user_word(void);
/* Which messages were logged already, a bit for each kind that is logged once. */
uint64_t *_Nonnull process_told_word(void);
/* The address of the log file's path, a C string that is never freed; 0: the log goes to standard error. */
uint64_t *_Nonnull process_log_file_word(void);
/* The number of lines that may be written now (see LogRateLimit). */
uint64_t *_Nonnull process_log_limit_word(void);
/* The state of DNS questions, QUESTION_WORDS words (see Questions). Zero in a child of fork. */
uint64_t *_Nonnull process_question_words(void);
/* The ID of the thread that looks up a proxy; 0 if none does. */
uint64_t *_Nonnull process_lookup_lock_word(void);
