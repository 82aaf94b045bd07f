/* The heap of the library's Swift code, which allocates by posix_memalign() and free().
 *
 * Taken from libc, a configuration that is read at the first connect() of a signal handler would find the program's
 * allocator locked, and an allocator that does network or file calls itself would be entered again. So the library has
 * definitions of its own, which it does not export (Allocator.c of CInterpose).
 *
 * What a process allocates is its configuration, while that is made: each making has a heap of its own, which no other
 * thread uses, and which is given back whole when it comes to nothing. It grows by need.
 *
 * In C, because Swift ends the process when there is no memory. Here a making that is refused some is left by a jump
 * out of the middle, and the call that wanted it fails. So there is nothing that would have to be undone while
 * something is allocated: no lock is held, and no descriptor is open but one that the heap knows. */
#pragma once

#include <stddef.h>

struct heap;

/* Calls `make` with a heap of its own. NULL when it was refused memory; else the heap, which is there until it is
 * discarded. Async-signal-safe. */
struct heap *_Nullable heap_make(void (*_Nonnull make)(void *_Nonnull context), void *_Nonnull context);
/* Gives back all that was allocated there. */
void heap_discard(struct heap *_Nonnull heap);
/* Zero-filled memory of the making that the thread is in. */
void *_Nonnull heap_zeroed(size_t size);
/* A descriptor that is to be closed when the making is left; -1: none any more. Nothing happens outside of a making. */
void heap_watch_descriptor(int fd);
/* posix_memalign() and free() of the making that the thread is in. Outside of one there is no memory, and what is freed
 * stays. */
int heap_allocate(void *_Nullable *_Nonnull result, size_t alignment, size_t size);
void heap_free(void *_Nullable memory);
