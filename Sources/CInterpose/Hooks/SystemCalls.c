/* System calls by number. A call that is hooked by its name is hooked by its number, too; all others are forwarded with
 * six words, the most that a call takes. */
#include "Interpose.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* ----- Calls whose words differ from the function's parameters ----- */

/* Here the offset takes two words; the first contains it completely. */
static ssize_t preadv2_by_number(int fd, const struct iovec *parts, int count, long offset, long nothing, int flags) {
    (void)nothing;
    return preadv2(fd, parts, count, offset, flags);
}

static ssize_t pwritev2_by_number(int fd, const struct iovec *parts, int count, long offset, long nothing, int flags) {
    (void)nothing;
    return pwritev2(fd, parts, count, offset, flags);
}

/* The kernel's signal set is as long as its size says, and a prefix of libc's; no more of it is read. */
struct sized_signals {
    const sigset_t *signals;
    size_t size;
};

static int pselect6(int count, fd_set *reading, fd_set *writing, fd_set *excepted, const struct timespec *limit,
                    const struct sized_signals *sized) {
    return pselect(count, reading, writing, excepted, limit, sized ? sized->signals : NULL);
}

static long filter(unsigned operation, unsigned flags, void *arguments) {
    int is_filter = operation == SECCOMP_SET_MODE_STRICT || (operation == SECCOMP_SET_MODE_FILTER && arguments);
    if (is_filter) before_filter();
    long result = REAL(syscall)(SYS_seccomp, operation, flags, arguments);
    /* With SECCOMP_FILTER_FLAG_NEW_LISTENER the result is a descriptor. */
    if (is_filter && result >= 0) after_filter();
    return result;
}

static long io_uring_setup(void) {
    /* A ring connects, reads and registers without calls that could be hooked. Without io_uring, libraries fall back to
     * epoll. */
    errno = ENOSYS;
    return -1;
}

/* ----- Lists: the number, the function, the types of its words ----- */

/* Calls that matter only while something is pending or relayed. */
#define DISTURBED_CALLS(CALL)                                                                           \
    CALL(read, read, int, void *, size_t)                                                               \
    CALL(readv, readv, int, const struct iovec *, int)                                                  \
    CALL(preadv2, preadv2_by_number, int, const struct iovec *, int, long, long, int)                   \
    CALL(recvfrom, recvfrom, int, void *, size_t, int, struct sockaddr *, socklen_t *)                  \
    CALL(recvmsg, recvmsg, int, struct msghdr *, int)                                                   \
    CALL(recvmmsg, recvmmsg, int, struct mmsghdr *, unsigned, int, struct timespec *)                   \
    CALL(write, write, int, const void *, size_t)                                                       \
    CALL(writev, writev, int, const struct iovec *, int)                                                \
    CALL(pwritev2, pwritev2_by_number, int, const struct iovec *, int, long, long, int)                 \
    CALL(sendfile, sendfile, int, int, off_t *, size_t)                                                 \
    CALL(splice, splice, int, off64_t *, int, off64_t *, size_t, unsigned)                              \
    CALL(shutdown, shutdown, int, int)                                                                  \
    CALL(ioctl, ioctl, int, unsigned long, void *)                                                      \
    CALL(ppoll, ppoll, struct pollfd *, nfds_t, const struct timespec *, const sigset_t *)              \
    CALL(pselect6, pselect6, int, fd_set *, fd_set *, fd_set *, const struct timespec *,                \
         const struct sized_signals *)                                                                  \
    CALL(epoll_pwait, epoll_pwait, int, struct epoll_event *, int, int, const sigset_t *)               \
    CALL(epoll_pwait2, epoll_pwait2, int, struct epoll_event *, int, const struct timespec *, const sigset_t *)

#define CALLS(CALL)                                                                                     \
    CALL(socket, socket, int, int, int)                                                                 \
    CALL(listen, listen, int, int)                                                                      \
    CALL(connect, connect, int, const struct sockaddr *, socklen_t)                                     \
    CALL(getpeername, getpeername, int, struct sockaddr *, socklen_t *)                                 \
    CALL(getsockname, getsockname, int, struct sockaddr *, socklen_t *)                                 \
    CALL(getsockopt, getsockopt, int, int, int, void *, socklen_t *)                                    \
    CALL(setsockopt, setsockopt, int, int, int, const void *, socklen_t)                                \
    CALL(sendto, sendto, int, const void *, size_t, int, const struct sockaddr *, socklen_t)            \
    CALL(sendmsg, sendmsg, int, const struct msghdr *, int)                                             \
    CALL(sendmmsg, sendmmsg, int, struct mmsghdr *, unsigned, int)                                      \
    CALL(epoll_create1, epoll_create1, int)                                                             \
    CALL(epoll_ctl, epoll_ctl, int, int, int, struct epoll_event *)                                     \
    CALL(close, close, int)                                                                             \
    CALL(close_range, close_range, unsigned, unsigned, int)                                             \
    CALL(dup, dup, int)                                                                                 \
    CALL(dup3, dup3, int, int, int)                                                                     \
    CALL(fcntl, fcntl, int, int, void *)                                                                \
    CALL(execve, execve, const char *, char *const *, char *const *)                                    \
    CALL(execveat, execveat, int, const char *, char *const *, char *const *, int)                      \
    CALL(prctl, prctl, int, long, long, long, long)                                                     \
    CALL(seccomp, filter, unsigned, unsigned, void *)                                                   \
    CALL(io_uring_setup, io_uring_setup)

/* Calls without a number on newer architectures. */
#ifdef SYS_poll
#define OLD_DISTURBED_CALLS(CALL)                                                                       \
    CALL(poll, poll, struct pollfd *, nfds_t, int)                                                      \
    CALL(select, select, int, fd_set *, fd_set *, fd_set *, struct timeval *)                           \
    CALL(epoll_wait, epoll_wait, int, struct epoll_event *, int, int)
#define OLD_CALLS(CALL)                                                                                 \
    CALL(epoll_create, epoll_create, int)                                                               \
    CALL(dup2, dup2, int, int)
#else
#define OLD_DISTURBED_CALLS(CALL)
#define OLD_CALLS(CALL)
#endif

/* ----- By the lists ----- */

#define WORDS_0()
#define WORDS_1(a) (a)word[0]
#define WORDS_2(a, b) WORDS_1(a), (b)word[1]
#define WORDS_3(a, b, c) WORDS_2(a, b), (c)word[2]
#define WORDS_4(a, b, c, d) WORDS_3(a, b, c), (d)word[3]
#define WORDS_5(a, b, c, d, e) WORDS_4(a, b, c, d), (e)word[4]
#define WORDS_6(a, b, c, d, e, f) WORDS_5(a, b, c, d, e), (f)word[5]
#define WORDS_OF(ignored, a, b, c, d, e, f, words, ...) words
#define WORDS(...)                                                                                      \
    WORDS_OF(ignored, ##__VA_ARGS__, WORDS_6, WORDS_5, WORDS_4, WORDS_3, WORDS_2, WORDS_1, WORDS_0)(__VA_ARGS__)
#define CASE(number, function, ...) case SYS_##number: return function(WORDS(__VA_ARGS__));

/* For the time while something is pending or relayed. */
static long call_disturbed(long number, const long word[6]) {
    switch (number) {
        DISTURBED_CALLS(CASE)
        OLD_DISTURBED_CALLS(CASE)
        default: return REAL(syscall)(number, word[0], word[1], word[2], word[3], word[4], word[5]);
    }
}

long syscall(long number, ...) {
    va_list arguments;
    long word[6];
    va_start(arguments, number);
    for (int index = 0; index < 6; index++) word[index] = va_arg(arguments, long);
    va_end(arguments);
    switch (number) {
        CALLS(CASE)
        OLD_CALLS(CASE)
        case SYS_setuid:
        case SYS_setreuid:
        case SYS_setresuid: return change_thread_user(number, (uid_t)word[0], (uid_t)word[1], (uid_t)word[2]);
#ifdef SYS_fork
        case SYS_fork: before_fork(); break;
#endif
        case SYS_clone: before_clone((unsigned long)word[0]); break;
        case SYS_clone3: {
            /* Of clone_args. */
            const uint64_t *flags = (const void *)word[0];
            if (is_readable(flags, sizeof *flags)) before_clone(*flags);
            break;
        }
        default:
            if (!pending_is_undisturbed(pending_word())) return call_disturbed(number, word);
    }
    return REAL(syscall)(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}
