/* The heap of the library's Swift code.
 *
 * Swift allocates by posix_memalign() and free(). Taken from libc, a configuration that is read at the first
 * connect() of a signal handler would find the program's allocator locked, and an allocator that does network or file
 * calls itself would be entered again. These definitions, which the library does not export, take their place: memory
 * comes from one mapping, by counting up, without a lock. What a process allocates is its configuration, once; so
 * nothing is given back. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#include "Kernel.h"

/* Address space, of which only what is touched becomes memory. A configuration of 10,000 lines takes a few MiB. */
#define HEAP_SIZE ((size_t)64 << 20)

static uintptr_t heap_start;
static size_t heap_used;

static uintptr_t heap(void) {
    uintptr_t start = __atomic_load_n(&heap_start, __ATOMIC_ACQUIRE);
    if (start) return start;
    long mapped = kernel_map(HEAP_SIZE);
    if (mapped < 0) return 0;
    uintptr_t expected = 0;
    if (__atomic_compare_exchange_n(&heap_start, &expected, (uintptr_t)mapped, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return (uintptr_t)mapped;
    kernel_call(SYS_munmap, mapped, HEAP_SIZE, 0, 0, 0, 0);
    return expected;
}

__attribute__((visibility("hidden"))) int posix_memalign(void **result, size_t alignment, size_t size) {
    uintptr_t start = heap();
    if (!start || size > HEAP_SIZE || alignment > 4096) return ENOMEM;
    if (alignment < 16) alignment = 16;
    size_t padded = (size + 15) / 16 * 16;
    size_t used = __atomic_load_n(&heap_used, __ATOMIC_RELAXED);
    size_t place;
    do {
        place = (used + alignment - 1) / alignment * alignment;
        if (place + padded > HEAP_SIZE) return ENOMEM;
    } while (!__atomic_compare_exchange_n(&heap_used, &used, place + padded, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    *result = (void *)(start + place);
    return 0;
}

__attribute__((visibility("hidden"))) void free(void *memory) {
    (void)memory;
}
