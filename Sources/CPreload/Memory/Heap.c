#include "Heap.h"

#include <errno.h>
#include <setjmp.h>
#include <stdint.h>

#include "CKernel.h"

enum {
    ALIGNMENT = 16,
    SMALLEST_CHUNK = 64 << 10,
    LARGEST_CHUNK = 1 << 20,
    /* Blocks with more bytes have a mapping each, which is unmapped when they are freed: arrays that grow are copied
     * from one to the next. */
    LARGEST_IN_CHUNK = 32 << 10,
    /* Sizes of blocks in chunks: the multiples of ALIGNMENT up to this one, and then four in each power of two. */
    LARGEST_EXACT = 512,
    CLASSES = 57,
};

/* Lies before each allocated block; its length is a multiple of ALIGNMENT. */
struct block {
    /* The size with this header. */
    size_t size;
    /* While it is free: the next one of its class. */
    struct block *next;
};

/* Lies before a block with its own mapping. */
struct mapping {
    struct mapping *next, **link;
    struct block block;
};

struct chunk {
    struct chunk *next;
    size_t size;
};

struct heap {
    struct chunk chunk;
    /* The newest first. */
    struct chunk *chunks;
    size_t size_of_chunks;
    /* The free part of the newest chunk. */
    char *next, *end;
    struct block *free[CLASSES];
    struct mapping *mappings;
    /* See heap_watch_descriptor. */
    int descriptor;
    jmp_buf refused;
};

/* The heap in use by the thread. In the static thread-local area, which needs no allocation. */
static __thread struct heap *heap_in_use __attribute__((tls_model("initial-exec")));

__attribute__((noinline)) static int run(struct heap *heap, void (*make)(void *context), void *context) {
    if (_setjmp(heap->refused)) return 0;
    make(context);
    return 1;
}

struct heap *heap_make(void (*make)(void *context), void *context) {
    long mapped = kernel_map(SMALLEST_CHUNK);
    if (mapped < 0) return NULL;
    struct heap *heap = (struct heap *)mapped;
    heap->chunk.size = heap->size_of_chunks = SMALLEST_CHUNK;
    heap->chunks = &heap->chunk;
    heap->next = (char *)heap + (sizeof *heap + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    heap->end = (char *)heap + SMALLEST_CHUNK;
    heap->descriptor = -1;
    /* A signal handler may interrupt heap_make() and call it, too. */
    struct heap *interrupted = heap_in_use;
    heap_in_use = heap;
    int is_made = run(heap, make, context);
    heap_in_use = interrupted;
    if (is_made) return heap;
    if (heap->descriptor >= 0) kernel_close(heap->descriptor);
    heap_discard(heap);
    return NULL;
}

void heap_discard(struct heap *heap) {
    while (heap->mappings) {
        struct mapping *mapping = heap->mappings;
        heap->mappings = mapping->next;
        kernel_unmap(mapping, mapping->block.size);
    }
    for (struct chunk *chunk = heap->chunks, *next; chunk; chunk = next) {
        /* The first one, which is the last here, has the heap itself. */
        next = chunk->next;
        kernel_unmap(chunk, chunk->size);
    }
}

void heap_watch_descriptor(int fd) {
    if (heap_in_use) heap_in_use->descriptor = fd;
}

static void *map(struct heap *heap, size_t size) {
    long mapped = kernel_map(size);
    if (mapped < 0) longjmp(heap->refused, 1);
    return (void *)mapped;
}

/* The class of a block, and its size with what it is rounded up by. */
static int class_of(size_t *size) {
    if (*size <= LARGEST_EXACT) return (int)(*size / ALIGNMENT);
    /* A quarter of the power of two below. */
    int shift = 63 - __builtin_clzl(*size - 1) - 2;
    size_t quarters = (*size + ((size_t)1 << shift) - 1) >> shift;
    *size = quarters << shift;
    return LARGEST_EXACT / ALIGNMENT + (shift - 7) * 4 + (int)quarters - 4;
}

static struct block *take_from_chunk(struct heap *heap, size_t size) {
    int class = class_of(&size);
    struct block *block = heap->free[class];
    if (block) {
        heap->free[class] = block->next;
        return block;
    }
    if (size > (size_t)(heap->end - heap->next)) {
        /* Doubles the total. */
        size_t chunk_size = heap->size_of_chunks < LARGEST_CHUNK ? heap->size_of_chunks : LARGEST_CHUNK;
        struct chunk *chunk = map(heap, chunk_size);
        *chunk = (struct chunk){heap->chunks, chunk_size};
        heap->chunks = chunk;
        heap->size_of_chunks += chunk_size;
        heap->next = (char *)chunk + (sizeof *chunk + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        heap->end = (char *)chunk + chunk_size;
    }
    block = (struct block *)heap->next;
    heap->next += size;
    block->size = size;
    return block;
}

static struct block *take_mapping(struct heap *heap, size_t size) {
    size = (size + offsetof(struct mapping, block) + 4095) / 4096 * 4096;
    struct mapping *mapping = map(heap, size);
    mapping->block.size = size;
    mapping->next = heap->mappings;
    mapping->link = &heap->mappings;
    if (mapping->next) mapping->next->link = &mapping->next;
    heap->mappings = mapping;
    return &mapping->block;
}

void *heap_zeroed(size_t size) {
    return take_mapping(heap_in_use, size + sizeof(struct block)) + 1;
}

int heap_allocate(void **result, size_t alignment, size_t size) {
    struct heap *heap = heap_in_use;
    /* No Swift type needs a larger alignment. */
    if (!heap || alignment > ALIGNMENT) return ENOMEM;
    if (size > PTRDIFF_MAX / 2) longjmp(heap->refused, 1);
    size = (size + sizeof(struct block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct block *block = size > LARGEST_IN_CHUNK ? take_mapping(heap, size) : take_from_chunk(heap, size);
    *result = block + 1;
    return 0;
}

void heap_free(void *memory) {
    struct heap *heap = heap_in_use;
    /* Memory freed after heap_make() stays for the life of the process. */
    if (!heap || !memory) return;
    struct block *block = (struct block *)memory - 1;
    if (block->size > LARGEST_IN_CHUNK) {
        struct mapping *mapping = (struct mapping *)((char *)block - offsetof(struct mapping, block));
        *mapping->link = mapping->next;
        if (mapping->next) mapping->next->link = mapping->link;
        kernel_unmap(mapping, block->size);
        return;
    }
    size_t size = block->size;
    int class = class_of(&size);
    block->next = heap->free[class];
    heap->free[class] = block;
}
