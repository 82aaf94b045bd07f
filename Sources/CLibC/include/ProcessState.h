/* The library's mutable state in a process: words that are zero until somebody fills them.
 *
 * In C, because hooks run before any constructor did, and C's zero-filled storage exists from the start, while a
 * global of Swift is made at first use under a lock that a signal handler or a forked child could find taken.
 *
 * Every word is read and written atomically. */
#pragma once

#include <stdint.h>

/* Address of the Runtime once it is made; written once, under the lock. */
uint64_t *_Nonnull socksify_runtime_word(void);
/* Number of the thread that makes the Runtime, or looks up its first proxy; 0 when none does. */
uint64_t *_Nonnull socksify_runtime_lock_word(void);
