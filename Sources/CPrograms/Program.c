#include "Program.h"

#include <string.h>
#include <sys/prctl.h>
#include <sys/statfs.h>

#include "CKernel.h"

/* ----- Files ----- */

/* A descriptor's path in /proc. It gives access to a file that was opened with O_PATH. */
static void descriptor_path(int fd, char path[32]) {
    char digits[12];
    int count = 0;
    char *end = stpcpy(path, "/proc/self/fd/");
    for (unsigned rest = (unsigned)fd; count == 0 || rest; rest /= 10) digits[count++] = (char)('0' + rest % 10);
    while (count) *end++ = digits[--count];
    *end = 0;
}

/* Opens the file that execveat(2) would start. */
static long open_target(int directory, const char *path, int flags, int mode) {
    char own[32];
    mode |= O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0);
    long fd = kernel_call(SYS_openat, directory, (long)path, mode, 0, 0, 0);
    if (fd != -ENOENT || !(flags & AT_EMPTY_PATH) || *path) return fd;
    descriptor_path(directory, own);
    return kernel_call(SYS_openat, AT_FDCWD, (long)own, mode & ~O_NOFOLLOW, 0, 0, 0);
}

/* Whether a file that open(2) refuses with this error would fail to execute with the same error. */
static int fails_alike(long error, const char *path) {
    switch (error) {
        case -EFAULT:
        case -ENAMETOOLONG:
        case -ELOOP:
        case -ENOTDIR:
        case -EACCES: return 1;
        /* With an empty path, /proc may be missing. */
        case -ENOENT: return *path != 0;
        default: return 0;
    }
}

static size_t read_file(void *context, void *bytes, size_t count, uint64_t offset) {
    size_t done = 0;
    while (done < count) {
        long got = kernel_call(SYS_pread64, *(int *)context, (long)bytes + (long)done, (long)(count - done),
                               (long)(offset + done), 0, 0);
        if (got == -EINTR) continue;
        if (got <= 0) break;
        done += (size_t)got;
    }
    return done;
}

/* ----- Rights ----- */

static int is_nosuid(int fd) {
    enum { NOSUID = 2 /* ST_NOSUID of statvfs(3) */ };
    struct statfs file_system;
    return kernel_call(SYS_fstatfs, fd, (long)&file_system, 0, 0, 0, 0) == 0 && file_system.f_flags & NOSUID;
}

static int has_no_new_privileges(void) {
    return kernel_call(SYS_prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0, 0) == 1;
}

/* Reads a number, and skips the blanks before it. */
static uint64_t take_number(const char **text) {
    uint64_t number = 0;
    while (**text == ' ' || **text == '\n') (*text)++;
    for (; **text >= '0' && **text <= '9'; (*text)++) number = number * 10 + (uint64_t)(**text - '0');
    return number;
}

/* Whether the user namespace maps the user, or group. All unmapped ones appear as one number (user_namespaces(7)), and
 * no process gets their rights. */
static int is_mapped(unsigned number, const char *map) {
    enum { OVERFLOW = 65534 };
    char text[512];
    if (number != OVERFLOW) return 1;
    int fd = (int)kernel_open_to_read(map);
    if (fd < 0) return 1;
    size_t count = read_file(&fd, text, sizeof text, 0);
    kernel_close(fd);
    if (count == sizeof text) return 1;
    text[count] = 0;
    /* Each line has the first number inside, the first number outside, and the count. */
    for (const char *rest = text; *rest;) {
        uint64_t first = take_number(&rest);
        take_number(&rest);
        if (number - first < take_number(&rest)) return 1;
        if (*rest) rest++;
    }
    return 0;
}

static int has_capabilities(int fd, int is_readable) {
    uint8_t attribute[24];
    static const char name[] = "security.capability";
    char path[32];
    long size;
    if (is_readable) {
        size = kernel_call(SYS_fgetxattr, fd, (long)name, (long)attribute, sizeof attribute, 0, 0);
    } else {
        descriptor_path(fd, path);
        size = kernel_call(SYS_getxattr, (long)path, (long)name, (long)attribute, sizeof attribute, 0, 0);
    }
    return size > 0 && capabilities_are_given(attribute, (size_t)size);
}

/* The reach by the rights that the file gives (execve(2), capabilities(7)). */
static enum program_reach reach_by_rights(int fd, const struct stat *status, int is_readable) {
    enum { REAL, EFFECTIVE, SAVED };
    uid_t users[3];
    gid_t groups[3];
    kernel_call(SYS_getresuid, (long)&users[REAL], (long)&users[EFFECTIVE], (long)&users[SAVED], 0, 0, 0);
    kernel_call(SYS_getresgid, (long)&groups[REAL], (long)&groups[EFFECTIVE], (long)&groups[SAVED], 0, 0, 0);
    int sets_user = status->st_mode & S_ISUID && status->st_uid != users[REAL];
    int sets_group = status->st_mode & S_ISGID && status->st_mode & S_IXGRP && status->st_gid != groups[REAL];
    int gives_capabilities = users[REAL] != 0 && has_capabilities(fd, is_readable);
    /* On such mounts, and for such processes, the kernel ignores the rights that files give. */
    if ((sets_user || sets_group || gives_capabilities) && !is_nosuid(fd) && !has_no_new_privileges()) {
        int is_known =
            is_mapped(status->st_uid, "/proc/self/uid_map") && is_mapped(status->st_gid, "/proc/self/gid_map");
        if (sets_user && is_known) return PROGRAM_SET_USER_ID;
        if (sets_group && is_known) return PROGRAM_SET_GROUP_ID;
        if (gives_capabilities) return PROGRAM_CAPABILITIES;
    }
    return users[EFFECTIVE] != users[REAL] || groups[EFFECTIVE] != groups[REAL] ? PROGRAM_SECURE : PROGRAM_REACHED;
}

/* ----- Programs ----- */

static enum program_reach reach_by_format(const struct executable *executable, const char *path) {
    switch (executable->format) {
        case EXECUTABLE_DYNAMIC: return PROGRAM_REACHED;
        case EXECUTABLE_GO: return PROGRAM_GO;
        case EXECUTABLE_OTHER_LIBC: return PROGRAM_OTHER_LIBC;
        /* The dynamic linker preloads the library into the program in its arguments. */
        case EXECUTABLE_STATIC: return is_dynamic_linker(path) ? PROGRAM_UNCERTAIN : PROGRAM_STATIC;
        case EXECUTABLE_OTHER_WORD_SIZE: return PROGRAM_OTHER_WORD_SIZE;
        case EXECUTABLE_OTHER_MACHINE: return PROGRAM_OTHER_MACHINE;
        default: return PROGRAM_UNCERTAIN;
    }
}

/* Examines one file. For a script, `executable` then names the interpreter. */
static long look_at(int directory, const char *path, int flags, struct executable *executable,
                    enum program_reach *reach) {
    struct stat status;
    executable->format = EXECUTABLE_UNKNOWN;
    *reach = PROGRAM_UNCERTAIN;
    long fd = open_target(directory, path, flags, O_RDONLY);
    int is_readable = fd != -EACCES;
    if (!is_readable) fd = open_target(directory, path, flags, O_PATH);
    if (fd < 0) return fails_alike(fd, path) ? fd : 0;
    long result = kernel_call(SYS_fstat, fd, (long)&status, 0, 0, 0, 0);
    if (result == 0 && (!S_ISREG(status.st_mode) || !(status.st_mode & 0111))) result = -EACCES;
    if (result == 0) {
        int file = (int)fd;
        if (is_readable) executable_read(read_file, &file, executable);
        /* The kernel takes the rights from the interpreter, never from the script. */
        if (executable->format != EXECUTABLE_SCRIPT) {
            enum program_reach rights = reach_by_rights(file, &status, is_readable);
            *reach = is_readable ? reach_by_format(executable, path) : PROGRAM_UNREADABLE;
            if (rights > *reach) *reach = rights;
        }
    }
    kernel_close((int)fd);
    return result;
}

int program_look(int directory, const char *path, int flags, struct program *program) {
    /* The kernel follows as many interpreters. */
    enum { MOST_INTERPRETERS = 5 };
    struct executable executable;
    program->interpreter[0] = 0;
    for (int depth = 0; depth <= MOST_INTERPRETERS; depth++) {
        long result = look_at(directory, path, flags, &executable, &program->reach);
        if (result < 0) return (int)result;
        if (executable.format != EXECUTABLE_SCRIPT) return 0;
        memcpy(program->interpreter, executable.name, sizeof program->interpreter);
        path = program->interpreter;
        directory = AT_FDCWD;
        flags = 0;
    }
    return -ELOOP;
}

/* ----- Texts ----- */

const char *program_reason(enum program_reach reach) {
    switch (reach) {
        case PROGRAM_REACHED:
        case PROGRAM_UNCERTAIN: return NULL;
        case PROGRAM_UNREADABLE: return "cannot be read, so that nothing tells whether it loads libsocksify.so";
        case PROGRAM_GO: return "is written in Go, and makes system calls that libsocksify.so does not see";
        case PROGRAM_OTHER_LIBC: return "is made for another libc (musl or the like), and cannot load libsocksify.so";
        case PROGRAM_STATIC:
            return "is statically linked, and loads no libraries, so libsocksify.so cannot be preloaded into it";
        case PROGRAM_OTHER_WORD_SIZE: return "is a 32-bit program, and cannot load libsocksify.so";
        case PROGRAM_OTHER_MACHINE: return "is for another kind of machine, and cannot load libsocksify.so";
        case PROGRAM_SECURE:
            return "is started by who acts for another user, and the dynamic linker preloads nothing into it";
        case PROGRAM_SET_USER_ID: return "is set-user-ID, and the dynamic linker preloads nothing into it";
        case PROGRAM_SET_GROUP_ID: return "is set-group-ID, and the dynamic linker preloads nothing into it";
        case PROGRAM_CAPABILITIES: return "has file capabilities, and the dynamic linker preloads nothing into it";
    }
    return NULL;
}

const char *program_advice(enum program_reach reach) {
    switch (reach) {
        case PROGRAM_REACHED:
        case PROGRAM_UNCERTAIN: return NULL;
        case PROGRAM_UNREADABLE: return "the right to read it";
        case PROGRAM_GO: return "its own proxy settings";
        case PROGRAM_OTHER_LIBC: return "a build of it for glibc";
        case PROGRAM_STATIC: return "a dynamically linked build of it, or its own proxy settings";
        case PROGRAM_OTHER_WORD_SIZE: return "a 64-bit build of it";
        case PROGRAM_OTHER_MACHINE: return "a build of it for this machine";
        case PROGRAM_SECURE: return "one user for all that is started";
        case PROGRAM_SET_USER_ID:
        case PROGRAM_SET_GROUP_ID:
        case PROGRAM_CAPABILITIES: return "socksify started with the rights that it needs, as in 'sudo socksify ...'";
    }
    return NULL;
}
