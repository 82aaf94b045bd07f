/* Calls that close or duplicate a descriptor. The library does not depend on seeing all of them, because it records
 * sockets by cookie. Those that it sees keep its records current and exact. */
#include "Interpose.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

/* Without a runtime, a mark for duplicates alone needs no update, and is corrected later: programs such as shells
 * duplicate and close all the time. */
static inline int is_to_be_ended(int fd) {
    int marks = descriptor_mark(fd) & DESCRIPTOR_MARKS;
    return marks && (marks != DESCRIPTOR_DUPLICATED || process_runtime_is_made());
}

/* Removes all records of the descriptor, so that no handshake continues by its number. */
static void forget_descriptor(int fd) {
    /* A child of vfork closes its own descriptors, but has its parent's memory. */
    if (!process_is_own()) return;
    unsigned marks = descriptor_mark(fd);
    if (marks & (DESCRIPTOR_PENDING | DESCRIPTOR_RELAYED | DESCRIPTOR_ENCAPSULATED)) socksify_end_descriptor(fd);
    watched_forget_all(fd);
    descriptor_clear_marks(fd, DESCRIPTOR_MARKS, marks);
}

static inline void end_descriptor(int fd) {
    if (is_to_be_ended(fd)) forget_descriptor(fd);
}

/* `copy` is what the call returned. Descriptors of other files are marked, too: the mark does no harm, and a check
 * would cost more. */
static int duplicated(int fd, int copy) {
    if (copy < 0 || copy == fd) return copy;
    unsigned marks = descriptor_mark(fd), other = descriptor_mark(copy);
    unsigned handed_on = DESCRIPTOR_EPOLL | DESCRIPTOR_USED_EPOLL | DESCRIPTOR_NOTED_EPOLL | DESCRIPTOR_RELAYED |
                         DESCRIPTOR_SUBSTITUTE | DESCRIPTOR_OPTIONS | DESCRIPTOR_MIXED | DESCRIPTOR_ENCAPSULATED;
    unsigned given = DESCRIPTOR_DUPLICATED | (marks & handed_on);
    /* Setting the marks again would restart a search for descriptors; without a runtime there is no search. */
    if ((marks & DESCRIPTOR_DUPLICATED) && (other & given) == given && !process_runtime_is_made()) return copy;
    descriptor_set_mark(fd, DESCRIPTOR_DUPLICATED);
    descriptor_set_mark(copy, given);
    return copy;
}

/* Programs that close all possible descriptors must not close the library's. */
static inline int is_own(int fd) {
    return (descriptor_mark(fd) & DESCRIPTOR_OWN) && socksify_is_own_descriptor(fd);
}

int close(int fd) {
    if (is_own(fd)) {
        errno = EBADF;
        return -1;
    }
    end_descriptor(fd);
    return REAL(close)(fd);
}

int __close(int fd) __attribute__((alias("close")));

/* Closes the ranges between the library's descriptors, which are closed on exec anyway. */
int close_range(unsigned int first, unsigned int last, int flags) {
    if (first > last || flags & ~(int)CLOSE_RANGE_UNSHARE) return REAL(close_range)(first, last, flags);
    unsigned end = (unsigned)descriptor_end();
    for (unsigned fd = first; fd < end && fd <= last; fd++) {
        if (!is_own((int)fd)) {
            end_descriptor((int)fd);
            continue;
        }
        if (fd > first) {
            int result = REAL(close_range)(first, fd - 1, flags);
            if (result != 0) return result;
        }
        if (fd == last) return 0;
        first = fd + 1;
    }
    return REAL(close_range)(first, last, flags);
}

void closefrom(int first) {
    int end = descriptor_end();
    if (first < 0) first = 0;
    for (int fd = first; fd < end; fd++) {
        if (!is_own(fd)) {
            end_descriptor(fd);
            continue;
        }
        /* Linux before 5.9 lacks close_range(2). */
        if (fd > first && REAL(close_range)((unsigned)first, (unsigned)fd - 1, 0) != 0)
            for (; first < fd; first++) REAL(close)(first);
        first = fd + 1;
    }
    REAL(closefrom)(first);
}

/* libc's streams of standard input, output and error read and write by libc's internal names, past the encapsulation of
 * a stream: its descriptor does not take their numbers. */
static inline int is_of_libc(int fd, int copy) {
    if (copy > STDERR_FILENO || copy < 0 || fd == copy || !descriptor_may_be_encapsulated(fd)) return 0;
    return socksify_stream_unread(fd) != SOCKSIFY_STREAM_PASS;
}

static int refused(void) {
    errno = EPERM;
    return -1;
}

int dup(int fd) {
    int copy = REAL(dup)(fd);
    if (!is_of_libc(fd, copy)) return duplicated(fd, copy);
    REAL(close)(copy);
    return refused();
}

/* dup2 and dup3 close `copy` if they succeed. A descriptor of the library first moves to another number. */
static void replace(int fd, int copy) {
    if (fd == copy || !is_to_be_ended(copy) || REAL(fcntl)(fd, F_GETFD) < 0) return;
    if (is_own(copy)) socksify_move_own_descriptor(copy);
    forget_descriptor(copy);
}

int dup2(int fd, int copy) {
    if (is_of_libc(fd, copy)) return refused();
    replace(fd, copy);
    return duplicated(fd, REAL(dup2)(fd, copy));
}

int __dup2(int fd, int copy) __attribute__((alias("dup2")));

int dup3(int fd, int copy, int flags) {
    if (is_of_libc(fd, copy)) return refused();
    if (!(flags & ~O_CLOEXEC)) replace(fd, copy);
    return duplicated(fd, REAL(dup3)(fd, copy, flags));
}

int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int result = REAL(fcntl)(fd, command, argument);
    if (command != F_DUPFD && command != F_DUPFD_CLOEXEC) return result;
    if (!is_of_libc(fd, result)) return duplicated(fd, result);
    REAL(close)(result);
    return refused();
}

int __fcntl(int fd, int command, ...) __attribute__((alias("fcntl")));
int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));
