/* Memory, and mapped files. */
#pragma once

#include <errno.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "Call.h"
#include "Signals.h"

/* Since Linux 6.3. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

/* Maps private, zero-filled memory. Only touched pages take memory. */
static inline long kernel_map(size_t size) {
    return kernel_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                       0);
}

/* Maps zero-filled memory that this process shares with its forks. */
static inline long kernel_map_shared(size_t size) {
    return kernel_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                       0);
}

/* Maps the file's bytes from `start` on, shared. */
static inline long kernel_map_file(int fd, size_t start, size_t size) {
    return kernel_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (long)start);
}

/* Maps the shared memory at `start` a second time, with the following bytes of its file (mremap(2)). */
static inline long kernel_map_again(void *_Nonnull start, size_t size) {
    return kernel_call(SYS_mremap, (long)start, 0, (long)size, MREMAP_MAYMOVE, 0, 0);
}

/* Creates an anonymous file in memory (memfd_create(2)). */
static inline long kernel_open_memory(void) {
    const char *name = "socksify";
    long fd = kernel_call(SYS_memfd_create, (long)name, MFD_CLOEXEC | MFD_NOEXEC_SEAL, 0, 0, 0, 0);
    /* Linux before 6.3 does not support MFD_NOEXEC_SEAL. */
    return fd == -EINVAL ? kernel_call(SYS_memfd_create, (long)name, MFD_CLOEXEC, 0, 0, 0, 0) : fd;
}

/* Maps the file's bytes from `start` on over the existing mapping at `target`. */
static inline long kernel_map_file_over(void *_Nonnull target, int fd, size_t start, size_t size) {
    return kernel_call(SYS_mmap, (long)target, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                       (long)start);
}

/* Tells for each page, in the lowest bit of a byte, whether it is resident (mincore(2)). */
static inline long kernel_ask_pages(void *_Nonnull start, size_t size, uint8_t *_Nonnull pages) {
    return kernel_call(SYS_mincore, (long)start, (long)size, (long)pages, 0, 0, 0);
}

static inline void kernel_unmap(void *_Nonnull start, size_t size) {
    kernel_call(SYS_munmap, (long)start, (long)size, 0, 0, 0, 0);
}

/* Populates whole pages, because touching them without memory would cause SIGBUS. -EINVAL before Linux 5.14. */
static inline long kernel_populate(void *_Nonnull start, size_t size) {
    return kernel_call(SYS_madvise, (long)start, (long)size, MADV_POPULATE_WRITE, 0, 0, 0);
}

/* Whether eight bytes can be read there. Uses rt_sigprocmask(2) with an invalid `how`: the kernel reads the bytes
 * first, and then rejects the call. */
static inline int kernel_can_read(const void *_Nullable start) {
    return start && kernel_call(SYS_rt_sigprocmask, -1, (long)start, 0, KERNEL_SIGNALS_SIZE, 0, 0) != -EFAULT;
}
