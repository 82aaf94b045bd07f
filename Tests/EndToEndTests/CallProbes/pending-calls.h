/* Every call that reads or writes, with one byte. */
#pragma once

#include "pending.h"

#include <sys/mman.h>
#include <sys/sendfile.h>

/* libc exports these, but declares them in no header, or only for checked calls. */
extern ssize_t __read(int fd, void *bytes, size_t count);
extern ssize_t __write(int fd, const void *bytes, size_t count);
extern ssize_t __send(int fd, const void *bytes, size_t count, int flags);
extern ssize_t __read_chk(int fd, void *bytes, size_t count, size_t room);
extern ssize_t __recv_chk(int fd, void *bytes, size_t count, size_t room, int flags);
extern ssize_t __recvfrom_chk(
    int fd, void *bytes, size_t count, size_t room, int flags, struct sockaddr *from, socklen_t *length);

/* The result of the call: the number of bytes, or the error. A byte that is read is 'x'; one that is written is 'y'. */
typedef struct {
    const char *name;
    ssize_t (*call)(int fd);
} one_byte_call;

static char heard;
static char spoken[1] = "y";

unused static struct iovec *into(void) {
    static __thread struct iovec vector;
    vector = (struct iovec){&heard, 1};
    return &vector;
}

unused static struct iovec *from(void) {
    static __thread struct iovec vector;
    vector = (struct iovec){spoken, 1};
    return &vector;
}

static ssize_t by_read(int fd) { return read(fd, &heard, 1); }
static ssize_t by_alias_read(int fd) { return __read(fd, &heard, 1); }
static ssize_t by_read_chk(int fd) { return __read_chk(fd, &heard, 1, 1); }
static ssize_t by_readv(int fd) { return readv(fd, into(), 1); }
static ssize_t by_preadv2(int fd) { return preadv2(fd, into(), 1, -1, 0); }
static ssize_t by_recv(int fd) { return recv(fd, &heard, 1, 0); }
static ssize_t by_recv_chk(int fd) { return __recv_chk(fd, &heard, 1, 1, 0); }
static ssize_t by_recvfrom(int fd) { return recvfrom(fd, &heard, 1, 0, NULL, NULL); }
static ssize_t by_recvfrom_chk(int fd) { return __recvfrom_chk(fd, &heard, 1, 1, 0, NULL, NULL); }
static ssize_t by_number_read(int fd) { return syscall(SYS_read, fd, &heard, 1); }
static ssize_t by_number_preadv2(int fd) { return syscall(SYS_preadv2, fd, into(), 1, -1L, -1L, 0); }
static ssize_t by_number_readv(int fd) { return syscall(SYS_readv, fd, into(), 1); }
static ssize_t by_number_recvfrom(int fd) { return syscall(SYS_recvfrom, fd, &heard, 1, 0, NULL, NULL); }
static ssize_t by_recvmsg(int fd) {
    struct msghdr message = {.msg_iov = into(), .msg_iovlen = 1};
    return recvmsg(fd, &message, 0);
}
static ssize_t by_number_recvmsg(int fd) {
    struct msghdr message = {.msg_iov = into(), .msg_iovlen = 1};
    return syscall(SYS_recvmsg, fd, &message, 0);
}
static ssize_t by_recvmmsg(int fd) {
    struct mmsghdr message = {.msg_hdr = {.msg_iov = into(), .msg_iovlen = 1}};
    int count = recvmmsg(fd, &message, 1, 0, NULL);
    return count < 1 ? count : (ssize_t)message.msg_len;
}
static ssize_t by_splice_in(int fd) {
    int ends[2];
    require(pipe(ends) == 0);
    ssize_t result = splice(fd, NULL, ends[1], NULL, 1, 0);
    int error = errno;
    if (result > 0) require(read(ends[0], &heard, 1) == 1);
    close(ends[0]), close(ends[1]);
    errno = error;
    return result;
}

static ssize_t by_write(int fd) { return write(fd, spoken, 1); }
static ssize_t by_alias_write(int fd) { return __write(fd, spoken, 1); }
static ssize_t by_writev(int fd) { return writev(fd, from(), 1); }
static ssize_t by_pwritev2(int fd) { return pwritev2(fd, from(), 1, -1, 0); }
static ssize_t by_send(int fd) { return send(fd, spoken, 1, 0); }
static ssize_t by_alias_send(int fd) { return __send(fd, spoken, 1, 0); }
static ssize_t by_sendto(int fd) { return sendto(fd, spoken, 1, 0, NULL, 0); }
static ssize_t by_number_write(int fd) { return syscall(SYS_write, fd, spoken, 1); }
static ssize_t by_number_pwritev2(int fd) { return syscall(SYS_pwritev2, fd, from(), 1, -1L, -1L, 0); }
static ssize_t by_number_writev(int fd) { return syscall(SYS_writev, fd, from(), 1); }
static ssize_t by_number_sendto(int fd) { return syscall(SYS_sendto, fd, spoken, 1, 0, NULL, 0); }
static ssize_t by_sendmsg(int fd) {
    struct msghdr message = {.msg_iov = from(), .msg_iovlen = 1};
    return sendmsg(fd, &message, 0);
}
static ssize_t by_number_sendmsg(int fd) {
    struct msghdr message = {.msg_iov = from(), .msg_iovlen = 1};
    return syscall(SYS_sendmsg, fd, &message, 0);
}
static ssize_t by_sendmmsg(int fd) {
    struct mmsghdr message = {.msg_hdr = {.msg_iov = from(), .msg_iovlen = 1}};
    int count = sendmmsg(fd, &message, 1, 0);
    return count < 1 ? count : (ssize_t)message.msg_len;
}
static int file_to_send(void) {
    static int file = -1;
    if (file >= 0) return file;
    file = memfd_create("bytes", MFD_CLOEXEC);
    require(file >= 0 && write(file, spoken, 1) == 1);
    return file;
}
static ssize_t by_sendfile(int fd) { return sendfile(fd, file_to_send(), &(off_t){0}, 1); }
static ssize_t by_sendfile64(int fd) { return sendfile64(fd, file_to_send(), &(off64_t){0}, 1); }
static ssize_t by_splice_out(int fd) {
    int ends[2];
    require(pipe(ends) == 0 && write(ends[1], spoken, 1) == 1);
    ssize_t result = splice(ends[0], NULL, fd, NULL, 1, 0);
    int error = errno;
    close(ends[0]), close(ends[1]);
    errno = error;
    return result;
}

static const one_byte_call reading_calls[] = {
    {"read", by_read}, {"__read", by_alias_read}, {"__read_chk", by_read_chk}, {"readv", by_readv},
    {"preadv2", by_preadv2}, {"recv", by_recv}, {"__recv_chk", by_recv_chk}, {"recvfrom", by_recvfrom},
    {"__recvfrom_chk", by_recvfrom_chk}, {"recvmsg", by_recvmsg}, {"recvmmsg", by_recvmmsg},
    {"splice-in", by_splice_in}, {"SYS_read", by_number_read}, {"SYS_readv", by_number_readv},
    {"SYS_preadv2", by_number_preadv2},
    {"SYS_recvfrom", by_number_recvfrom}, {"SYS_recvmsg", by_number_recvmsg}, {0},
};

static const one_byte_call writing_calls[] = {
    {"write", by_write}, {"__write", by_alias_write}, {"writev", by_writev}, {"pwritev2", by_pwritev2},
    {"send", by_send}, {"__send", by_alias_send}, {"sendto", by_sendto}, {"sendmsg", by_sendmsg},
    {"sendmmsg", by_sendmmsg}, {"sendfile", by_sendfile}, {"sendfile64", by_sendfile64},
    {"splice-out", by_splice_out}, {"SYS_write", by_number_write}, {"SYS_writev", by_number_writev},
    {"SYS_pwritev2", by_number_pwritev2},
    {"SYS_sendto", by_number_sendto}, {"SYS_sendmsg", by_number_sendmsg}, {0},
};
