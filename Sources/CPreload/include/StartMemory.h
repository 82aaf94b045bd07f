/* Memory for what a program is started with: of the library's own, because a caller's stack is small, and its allocator
 * may be locked.
 *
 * A child of vfork has its parent's memory. What it took stays mapped there when it has executed a program; the next
 * one that takes memory gives it back. In C, because it happens in such children. */
#pragma once

#include <stddef.h>

/* Before a process confines itself: the next one that takes memory makes no system call. */
void start_memory_reserve(void);

/* NULL without memory. Async-signal-safe. */
void *_Nullable start_memory_take(size_t size);
void start_memory_give_back(void *_Nonnull memory, size_t size);
