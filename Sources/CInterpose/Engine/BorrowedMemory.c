#include "BorrowedMemory.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include "CPreload.h"

/* The library's memory, size 0, or a mapping. */
struct mapping {
    void *start;
    size_t size;
};

static void give_back(void *mapping) {
    const struct mapping *mapped = mapping;
    if (mapped->size)
        kernel_unmap(mapped->start, mapped->size);
    else
        library_memory_give_back(mapped->start);
}

int with_memory(size_t size, int (*body)(void *memory, void *context), void *context) {
    if (size <= 768) {
        _Alignas(struct pollfd) char memory[768];
        return body(memory, context);
    }
    int result;
    struct mapping mapping = {0};
    if (size <= LIBRARY_MEMORY_SIZE) {
        mapping.start = library_memory_take();
    } else {
        long mapped = kernel_map(size);
        if (mapped > 0) mapping = (struct mapping){(void *)mapped, size};
    }
    if (!mapping.start) {
        errno = ENOMEM;
        return -1;
    }
    pthread_cleanup_push(give_back, &mapping);
    result = body(mapping.start, context);
    pthread_cleanup_pop(1);
    return result;
}
