/* Directories, and files in them. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "Call.h"
#include "Processes.h"

static inline long kernel_open_folder(const char *_Nonnull path) {
    return kernel_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | O_DIRECTORY, 0, 0, 0);
}

/* Opens a file in the directory for reading. */
static inline long kernel_open_in(int folder, const char *_Nonnull name) {
    return kernel_call(SYS_openat, folder, (long)name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, 0,
                       0);
}

static inline long kernel_unlink_in(int folder, const char *_Nonnull name) {
    return kernel_call(SYS_unlinkat, folder, (long)name, 0, 0, 0, 0);
}

/* getdents64(2) */
static inline long kernel_list_folder(int folder, void *_Nonnull entries, size_t size) {
    return kernel_call(SYS_getdents64, folder, (long)entries, (long)size, 0, 0, 0);
}

/* Whether the effective user may create files there. */
static inline int kernel_can_write_to_folder(const char *_Nonnull path) {
    return kernel_call(SYS_faccessat2, AT_FDCWD, (long)path, W_OK | X_OK, AT_EACCESS, 0, 0) == 0;
}

/* Creates a directory with mode 0700, unless it exists. */
static inline void kernel_make_folder(const char *_Nonnull path) {
    kernel_call(SYS_mkdirat, AT_FDCWD, (long)path, 0700, 0, 0, 0);
}

/* Removes an empty directory. */
static inline void kernel_remove_folder(const char *_Nonnull path) {
    kernel_call(SYS_unlinkat, AT_FDCWD, (long)path, AT_REMOVEDIR, 0, 0, 0);
}

/* Whether the directory is missing, belongs to the effective user without permissions for others, or is another's. */
enum kernel_folder { KERNEL_FOLDER_IS_MISSING, KERNEL_FOLDER_IS_OWN, KERNEL_FOLDER_IS_ANOTHERS };
static inline enum kernel_folder kernel_look_at_folder(const char *_Nonnull path) {
    struct stat status;
    long result = kernel_call(SYS_newfstatat, AT_FDCWD, (long)path, (long)&status, AT_SYMLINK_NOFOLLOW, 0, 0);
    if (result == -ENOENT) return KERNEL_FOLDER_IS_MISSING;
    int is_own = result == 0 && S_ISDIR(status.st_mode) && !(status.st_mode & 077) &&
                 status.st_uid == kernel_effective_user();
    return is_own ? KERNEL_FOLDER_IS_OWN : KERNEL_FOLDER_IS_ANOTHERS;
}
