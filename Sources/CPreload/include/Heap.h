/* The heap of the library's Swift code, which allocates by posix_memalign() and free().
 *
 * With libc's allocator, a first connect() in a signal handler could find the program's allocator locked while it reads
 * the configuration, and an allocator that makes network or file calls would be re-entered. So the library defines its
 * own functions, and does not export them (Allocator.c of CInterpose).
 *
 * Only the creation of the configuration allocates. Each creation has its own heap, which no other thread uses, which
 * grows when needed, and which is released as a whole if the creation fails.
 *
 * In C, because Swift ends the process when memory runs out. Here a jump leaves the creation instead, and the call that
 * needed it fails. So code that allocates must not need cleanup: it holds no lock, and has no descriptor open except
 * one that the heap watches. */
#pragma once

#include <stddef.h>

struct heap;

/* Calls `make` with a new heap. Returns the heap, which exists until it is discarded; NULL if memory ran out.
 * Async-signal-safe. */
struct heap *_Nullable heap_make(void (*_Nonnull make)(void *_Nonnull context), void *_Nonnull context);
/* Releases the heap, and all memory allocated from it. */
void heap_discard(struct heap *_Nonnull heap);
/* Zero-filled memory from the heap in use by the thread. */
void *_Nonnull heap_zeroed(size_t size);
/* Sets the descriptor to close if memory runs out; -1: none. Does nothing outside of heap_make(). */
void heap_watch_descriptor(int fd);
/* posix_memalign() and free() for the heap in use by the thread. Outside of heap_make() the first fails, and the second
 * does nothing. */
int heap_allocate(void *_Nullable *_Nonnull result, size_t alignment, size_t size);
void heap_free(void *_Nullable memory);
