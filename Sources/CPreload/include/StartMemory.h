/* Memory for the arguments of a program start. It comes from the library, because the caller's stack may be small and
 * its allocator locked.
 *
 * A child of vfork has its parent's memory. What it takes stays mapped there after it has executed a program; the next
 * caller that takes memory releases it. In C, because it happens in such children. */
#pragma once

#include <stddef.h>

/* Called before the process installs a system call filter: the next caller that takes memory needs no system call. */
void start_memory_reserve(void);

/* NULL without memory. Async-signal-safe. */
void *_Nullable start_memory_take(size_t size);
void start_memory_give_back(void *_Nonnull memory, size_t size);
