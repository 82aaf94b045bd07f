/* An allocator that ends the program when free(3) gets memory of another allocator. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static _Alignas(16) char arena[1 << 22];
static size_t arena_used;

static void foreign(void) {
    static const char message[] = "a foreign pointer\n";
    if (write(1, message, sizeof message - 1) > 0) _exit(7);
    _exit(8);
}

/* The length lies in front of each block. */
static size_t *length_of(void *memory) {
    if ((char *)memory < arena || (char *)memory >= arena + arena_used) foreign();
    return (size_t *)memory - 2;
}

void *malloc(size_t size) {
    size_t whole = (size + 31) / 16 * 16, start = __atomic_fetch_add(&arena_used, whole, __ATOMIC_SEQ_CST);
    if (whole < size || start + whole > sizeof arena) return NULL;
    *(size_t *)(arena + start) = size;
    return arena + start + 16;
}

void free(void *memory) {
    if (memory) *length_of(memory) = 0;
}

void *calloc(size_t count, size_t size) {
    void *memory = malloc(count * size);
    return memory ? memset(memory, 0, count * size) : NULL;
}

void *realloc(void *memory, size_t size) {
    void *larger = malloc(size);
    if (!memory || !larger) return larger;
    size_t length = *length_of(memory);
    return memcpy(larger, memory, length < size ? length : size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    char *start = malloc(size + alignment);
    *memory = start ? start + (-(uintptr_t)start & (alignment - 1)) : NULL;
    return start ? 0 : 12;
}
