/* System calls by number. Those that are hooked by their names are hooked by their numbers too; all others go on with
 * six words, which is as many as any takes. */
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

/* The kernel's signal set is as long as its size says, and a prefix of libc's; no more of it is read. */
struct sized_signals {
    const sigset_t *signals;
    size_t size;
};

/* Calls that matter only while something is in flight, or carried. False for any other. */
static int call_disturbed(long number, const long word[6], long *result) {
    switch (number) {
        case SYS_read: *result = read((int)word[0], (void *)word[1], (size_t)word[2]); break;
        case SYS_readv: *result = readv((int)word[0], (const struct iovec *)word[1], (int)word[2]); break;
        /* Here the offset takes two words, of which the first has it all. */
        case SYS_preadv2:
            *result = preadv2((int)word[0], (const struct iovec *)word[1], (int)word[2], word[3], (int)word[5]);
            break;
        case SYS_recvfrom:
            *result = recvfrom((int)word[0], (void *)word[1], (size_t)word[2], (int)word[3],
                               (struct sockaddr *)word[4], (socklen_t *)word[5]);
            break;
        case SYS_recvmsg: *result = recvmsg((int)word[0], (struct msghdr *)word[1], (int)word[2]); break;
        case SYS_recvmmsg:
            *result = recvmmsg((int)word[0], (struct mmsghdr *)word[1], (unsigned)word[2], (int)word[3],
                               (struct timespec *)word[4]);
            break;
        case SYS_write: *result = write((int)word[0], (const void *)word[1], (size_t)word[2]); break;
        case SYS_writev: *result = writev((int)word[0], (const struct iovec *)word[1], (int)word[2]); break;
        case SYS_pwritev2:
            *result = pwritev2((int)word[0], (const struct iovec *)word[1], (int)word[2], word[3], (int)word[5]);
            break;
        case SYS_sendfile:
            *result = sendfile((int)word[0], (int)word[1], (off_t *)word[2], (size_t)word[3]);
            break;
        case SYS_splice:
            *result = splice((int)word[0], (off64_t *)word[1], (int)word[2], (off64_t *)word[3], (size_t)word[4],
                             (unsigned)word[5]);
            break;
        case SYS_shutdown: *result = shutdown((int)word[0], (int)word[1]); break;
        case SYS_ioctl: *result = ioctl((int)word[0], (unsigned long)word[1], (void *)word[2]); break;
#ifdef SYS_poll
        case SYS_poll: *result = poll((struct pollfd *)word[0], (nfds_t)word[1], (int)word[2]); break;
        case SYS_select:
            *result = select((int)word[0], (fd_set *)word[1], (fd_set *)word[2], (fd_set *)word[3],
                             (struct timeval *)word[4]);
            break;
        case SYS_epoll_wait:
            *result = epoll_wait((int)word[0], (struct epoll_event *)word[1], (int)word[2], (int)word[3]);
            break;
#endif
        case SYS_ppoll:
            *result = ppoll((struct pollfd *)word[0], (nfds_t)word[1], (const struct timespec *)word[2],
                            (const sigset_t *)word[3]);
            break;
        case SYS_pselect6: {
            const struct sized_signals *sized = (const void *)word[5];
            *result = pselect((int)word[0], (fd_set *)word[1], (fd_set *)word[2], (fd_set *)word[3],
                              (const struct timespec *)word[4], sized ? sized->signals : NULL);
            break;
        }
        case SYS_epoll_pwait:
            *result = epoll_pwait((int)word[0], (struct epoll_event *)word[1], (int)word[2], (int)word[3],
                                  (const sigset_t *)word[4]);
            break;
        case SYS_epoll_pwait2:
            *result = epoll_pwait2((int)word[0], (struct epoll_event *)word[1], (int)word[2],
                                   (const struct timespec *)word[3], (const sigset_t *)word[4]);
            break;
        default: return 0;
    }
    return 1;
}

static long filter(unsigned operation, unsigned flags, void *arguments) {
    int is_filter = operation == SECCOMP_SET_MODE_STRICT || (operation == SECCOMP_SET_MODE_FILTER && arguments);
    if (is_filter) before_filter();
    long result = REAL(syscall)(SYS_seccomp, operation, flags, arguments);
    /* It may be a descriptor (SECCOMP_FILTER_FLAG_NEW_LISTENER). */
    if (is_filter && result >= 0) after_filter();
    return result;
}

long syscall(long number, ...) {
    va_list arguments;
    long word[6], result;
    va_start(arguments, number);
    for (int index = 0; index < 6; index++) word[index] = va_arg(arguments, long);
    va_end(arguments);
    switch (number) {
        case SYS_socket: return socket((int)word[0], (int)word[1], (int)word[2]);
        case SYS_listen: return listen((int)word[0], (int)word[1]);
        case SYS_connect:
            return connect((int)word[0], (const struct sockaddr *)word[1], (socklen_t)word[2]);
        case SYS_getpeername:
            return getpeername((int)word[0], (struct sockaddr *)word[1], (socklen_t *)word[2]);
        case SYS_getsockname:
            return getsockname((int)word[0], (struct sockaddr *)word[1], (socklen_t *)word[2]);
        case SYS_getsockopt:
            return getsockopt((int)word[0], (int)word[1], (int)word[2], (void *)word[3], (socklen_t *)word[4]);
        case SYS_sendto:
            return sendto((int)word[0], (const void *)word[1], (size_t)word[2], (int)word[3],
                          (const struct sockaddr *)word[4], (socklen_t)word[5]);
        case SYS_sendmsg: return sendmsg((int)word[0], (const struct msghdr *)word[1], (int)word[2]);
        case SYS_sendmmsg:
            return sendmmsg((int)word[0], (struct mmsghdr *)word[1], (unsigned int)word[2], (int)word[3]);
#ifdef SYS_epoll_create
        case SYS_epoll_create: return epoll_create((int)word[0]);
#endif
        case SYS_epoll_create1: return epoll_create1((int)word[0]);
        case SYS_epoll_ctl:
            return epoll_ctl((int)word[0], (int)word[1], (int)word[2], (struct epoll_event *)word[3]);
        case SYS_setsockopt:
            return setsockopt((int)word[0], (int)word[1], (int)word[2], (const void *)word[3], (socklen_t)word[4]);
        case SYS_close: return close((int)word[0]);
        case SYS_close_range: return close_range((unsigned)word[0], (unsigned)word[1], (int)word[2]);
        case SYS_dup: return dup((int)word[0]);
#ifdef SYS_dup2
        case SYS_dup2: return dup2((int)word[0], (int)word[1]);
#endif
        case SYS_dup3: return dup3((int)word[0], (int)word[1], (int)word[2]);
        case SYS_fcntl: return fcntl((int)word[0], (int)word[1], (void *)word[2]);
        case SYS_execve:
            return execve((const char *)word[0], (char *const *)word[1], (char *const *)word[2]);
        case SYS_execveat:
            return execveat((int)word[0], (const char *)word[1], (char *const *)word[2], (char *const *)word[3],
                            (int)word[4]);
        case SYS_prctl: return prctl((int)word[0], word[1], word[2], word[3], word[4]);
        case SYS_seccomp: return filter((unsigned)word[0], (unsigned)word[1], (void *)word[2]);
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
        case SYS_setuid:
        case SYS_setreuid:
        case SYS_setresuid: return change_thread_user(number, (uid_t)word[0], (uid_t)word[1], (uid_t)word[2]);
        case SYS_io_uring_setup:
            /* A ring connects, reads and registers without a call that could be hooked. Libraries that use one fall
             * back on epoll where there is none. */
            errno = ENOSYS;
            return -1;
        default:
            if (!is_undisturbed(in_flight_word()) && call_disturbed(number, word, &result)) return result;
    }
    return REAL(syscall)(number, word[0], word[1], word[2], word[3], word[4], word[5]);
}
