/* The library's own posix_memalign() and free() (see Heap.h). They lie in a target that only the library links: an
 * executable with them, such as the core's tests, would use them as its allocator. */
#include <stdlib.h>

#include "Heap.h"

__attribute__((visibility("hidden"))) int posix_memalign(void **result, size_t alignment, size_t size) {
    return heap_allocate(result, alignment, size);
}

__attribute__((visibility("hidden"))) void free(void *memory) {
    heap_free(memory);
}
