/* Records the descriptors that a probe has open at its end and has not opened itself: a line for each process, in a
 * file that has the name of the run's process group, where the tests look for it.
 *
 * The record uses no descriptor and no variable that a probe could see. Inherited descriptors count as the program's
 * own. */
#include "descriptors.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REPORTS "/run/socksify-probes"

static unsigned char is_own[1 << 16];
/* The process of the account: a child of vfork has descriptors of its own, but shares this memory. */
static pid_t owner;

static int is_known(int fd) { return (unsigned)fd < sizeof is_own && is_own[fd]; }

int own(int fd) {
    if ((unsigned)fd < sizeof is_own && getpid() == owner) is_own[fd] = 1;
    return fd;
}

static void forget(unsigned from, unsigned to) {
    if (getpid() != owner) return;
    for (unsigned fd = from; fd <= to && fd < sizeof is_own; fd++) is_own[fd] = 0;
}

/* The wrapped calls (the linker's --wrap). */
#define MAKER(name, parameters, ...)       \
    int __real_##name parameters;          \
    int __wrap_##name parameters { return own(__real_##name(__VA_ARGS__)); }

#define PAIR_MAKER(name, parameters, ...)             \
    int __real_##name parameters;                     \
    int __wrap_##name parameters {                    \
        int result = __real_##name(__VA_ARGS__);      \
        if (result == 0) own(pair[0]), own(pair[1]);  \
        return result;                                \
    }

MAKER(socket, (int domain, int type, int protocol), domain, type, protocol)
MAKER(accept, (int fd, struct sockaddr *from, socklen_t *length), fd, from, length)
MAKER(accept4, (int fd, struct sockaddr *from, socklen_t *length, int flags), fd, from, length, flags)
MAKER(dup, (int fd), fd)
MAKER(dup2, (int fd, int as), fd, as)
MAKER(dup3, (int fd, int as, int flags), fd, as, flags)
MAKER(epoll_create1, (int flags), flags)
MAKER(eventfd, (unsigned value, int flags), value, flags)
MAKER(memfd_create, (const char *name, unsigned flags), name, flags)
PAIR_MAKER(pipe, (int pair[2]), pair)
PAIR_MAKER(pipe2, (int pair[2], int flags), pair, flags)
PAIR_MAKER(socketpair, (int domain, int type, int protocol, int pair[2]), domain, type, protocol, pair)

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return own(__real_open(path, flags, mode));
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...) {
    va_list rest;
    va_start(rest, command);
    long argument = va_arg(rest, long);
    va_end(rest);
    int result = __real_fcntl(fd, command, argument);
    return command == F_DUPFD || command == F_DUPFD_CLOEXEC ? own(result) : result;
}

/* The entry is removed before the close: another thread may get the number at once. */
int __real_close(int fd);
int __wrap_close(int fd) {
    int was_known = is_known(fd);
    forget((unsigned)fd, (unsigned)fd);
    int result = __real_close(fd);
    if (result != 0 && was_known) own(fd);
    return result;
}

int __real_close_range(unsigned from, unsigned to, int flags);
int __wrap_close_range(unsigned from, unsigned to, int flags) {
    if (flags == 0) forget(from, to);
    return __real_close_range(from, to, flags);
}

void __real_closefrom(int from);
void __wrap_closefrom(int from) {
    forget((unsigned)from, sizeof is_own);
    __real_closefrom(from);
}

/* Calls `body` for each open descriptor except its own. Allocates nothing, because signal handlers end probes, too. */
static void for_each_descriptor(void (*body)(int fd)) {
    struct entry {
        unsigned long inode, offset;
        unsigned short length;
        unsigned char type;
        char name[];
    };
    int folder = __real_open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0) return;
    _Alignas(struct entry) char bytes[4096];
    for (long count; (count = syscall(SYS_getdents64, folder, bytes, sizeof bytes)) > 0;)
        for (long place = 0; place < count;) {
            struct entry *entry = (void *)(bytes + place);
            int fd = atoi(entry->name);
            if (entry->name[0] != '.' && fd != folder) body(fd);
            place += entry->length;
        }
    __real_close(folder);
}

static void keep(int fd) { own(fd); }

/* All descriptors that a child inherits count as its own: another thread may have been opening one. */
static void keep_all(void) {
    owner = getpid();
    for_each_descriptor(keep);
}

__attribute__((constructor)) static void begin(void) {
    keep_all();
    pthread_atfork(NULL, NULL, keep_all);
}

static char line[4096];
static size_t length;

static void add(const char *text) {
    size_t more = strlen(text);
    if (length + more >= sizeof line) return;
    memcpy(line + length, text, more);
    length += more;
}

static void add_unknown(int fd) {
    char path[64], target[128];
    if (is_known(fd)) return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t count = readlink(path, target, sizeof target - 1);
    target[count > 0 ? count : 0] = 0;
    snprintf(path, sizeof path, "\t%d ", fd);
    add(path);
    add(target);
}

/* The program's name and its open descriptors. */
__attribute__((destructor)) static void report(void) {
    int error = errno;
    char path[64];
    if (getpid() != owner) return;
    length = 0;
    add(program_invocation_short_name);
    for_each_descriptor(add_unknown);
    add("\n");
    snprintf(path, sizeof path, REPORTS "/%d", getpgrp());
    int file = __real_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    /* The folder is missing when a probe is run by hand. */
    if (file >= 0 && write(file, line, length) == (ssize_t)length) __real_close(file);
    errno = error;
}

_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status) {
    report();
    __real__exit(status);
}
