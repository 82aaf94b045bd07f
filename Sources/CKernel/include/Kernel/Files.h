/* Files by path, and their attributes. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "Call.h"
#include "Processes.h"

/* Opens without waiting, not even for the other end of a FIFO. */
static inline long kernel_open_to_read(const char *_Nonnull path) {
    return kernel_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, 0, 0);
}

/* Whether the path exists. Needs search permission for the directories, but none for the file. */
static inline int kernel_is_there(const char *_Nonnull path) {
    return kernel_call(SYS_faccessat, AT_FDCWD, (long)path, F_OK, 0, 0, 0) == 0;
}

/* readlinkat(2): the length, without a closing zero. */
static inline long kernel_read_link(const char *_Nonnull path, void *_Nonnull target, size_t size) {
    return kernel_call(SYS_readlinkat, AT_FDCWD, (long)path, (long)target, (long)size, 0, 0);
}

/* Opens a file to share, or creates it with mode 0600. Follows no link and does not wait. */
static inline long kernel_open_shared(const char *_Nonnull path) {
    return kernel_call(SYS_openat, AT_FDCWD, (long)path,
                       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600, 0, 0);
}

/* Opens a file for appending, or creates it with mode 0600. Follows no link and does not wait. */
static inline long kernel_open_to_append(const char *_Nonnull path) {
    return kernel_call(SYS_openat, AT_FDCWD, (long)path,
                       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600, 0, 0);
}

/* Attributes of a file (fstat(2)). */
struct kernel_file {
    /* A regular file of the effective user, without permissions for others. */
    int is_own;
    int is_regular;
    /* A regular file that its group or others may read. */
    int is_readable_by_others;
    /* The number of links; 0 if it was unlinked. */
    uint64_t links;
    int64_t size;
    /* Seconds since 1970. */
    int64_t modified;
};
static inline long kernel_look_at(int fd, struct kernel_file *_Nonnull file) {
    struct stat status;
    long result = kernel_call(SYS_fstat, fd, (long)&status, 0, 0, 0, 0);
    if (result < 0) return result;
    *file = (struct kernel_file){
        .is_own = S_ISREG(status.st_mode) && !(status.st_mode & 077) &&
                  status.st_uid == kernel_effective_user(),
        .is_regular = S_ISREG(status.st_mode),
        .is_readable_by_others = S_ISREG(status.st_mode) && (status.st_mode & 044),
        .links = status.st_nlink, .size = status.st_size, .modified = status.st_mtim.tv_sec};
    return 0;
}

/* Extends the file. -EFBIG beyond RLIMIT_FSIZE, where the kernel would send SIGXFSZ. */
static inline long kernel_set_size(int fd, int64_t size) {
    struct rlimit limit;
    long result = kernel_call(SYS_prlimit64, 0, RLIMIT_FSIZE, 0, (long)&limit, 0, 0);
    if (result < 0) return result;
    return limit.rlim_cur < (uint64_t)size ? -EFBIG : kernel_call(SYS_ftruncate, fd, size, 0, 0, 0, 0);
}

/* Sets the file's modification time to now. */
static inline long kernel_touch(int fd) {
    return kernel_call(SYS_utimensat, fd, 0, 0, 0, 0, 0);
}

/* flock(2), without waiting. The lock lasts as long as the open file: until it is closed, and every mapping of it is
 * gone, in every process that it was forked to. */
static inline long kernel_lock_file(int fd, int is_exclusive) {
    return kernel_call(SYS_flock, fd, (is_exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB, 0, 0, 0, 0);
}
