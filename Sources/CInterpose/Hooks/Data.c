/* Calls that read from and write to a descriptor. Where nothing is pending or relayed, a load and a branch. */
#include "Interpose.h"

#include <limits.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "Engine/Datagrams.h"
#include "Engine/EncapsulatedStreams.h"
#include "Engine/MessageParts.h"

/* Called by programs that were compiled with checks; no header declares them without. */
ssize_t __read_chk(int fd, void *bytes, size_t count, size_t room);
ssize_t __recv_chk(int fd, void *bytes, size_t count, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *bytes, size_t count, size_t room, int flags, struct sockaddr *address,
                       socklen_t *length);

/* Comes before a call that may wait. */
#define PREPARE(fd, flags)                                                                     \
    do {                                                                                       \
        if (descriptor_may_be_pending(fd) && !((flags) & OF_NOTHING)) {                        \
            int result = socksify_prepare_io(fd, flags);                                       \
            if (result != SOCKSIFY_PASS) return returned(result);                              \
        }                                                                                      \
        if (pending_any_beside() && !((flags) & OF_NOTHING) && !may_wait(fd, flags)) return -1;        \
    } while (0)

/* Defines a hook that only prepares the socket, or calls the functions for relayed datagrams. The usual case is a jump
 * to libc without a stack frame, so everything else is in a separate function. */
#define STREAM(type, name, parameters, arguments, flags, relayed)                              \
    static __attribute__((noinline)) type name##_disturbed parameters {                        \
        ssize_t result;                                                                        \
        if (descriptor_may_be_transformed(fd) && (relayed)) return (type)result;                   \
        PREPARE(fd, flags);                                                                    \
        if (descriptor_may_be_encapsulated(fd) && (relayed)) return (type)result;              \
        return REAL(name) arguments;                                                           \
    }                                                                                          \
    type name parameters {                                                                     \
        __typeof__(&name) known = KNOWN(name);                                                 \
        if (pending_is_undisturbed(pending_word()) && known) return known arguments;           \
        return name##_disturbed arguments;                                                     \
    }

/* Added to the flags of socksify_prepare_io(): the call moves no byte of the stream in any state of the socket. */
enum { OF_NOTHING = 1 << 16 };

static inline unsigned message_flags(int flags) {
    return flags & MSG_DONTWAIT ? SOCKSIFY_NONBLOCKING : 0;
}

/* A pending connection has no urgent data yet. */
static inline unsigned receiving_flags(int flags) {
    return message_flags(flags) | (flags & MSG_OOB ? OF_NOTHING : 0);
}

static inline unsigned parts_flags(const struct iovec *parts, int count) {
    if (count <= 0 || count > IOV_MAX) return OF_NOTHING;
    if (!is_readable(parts, (size_t)count * sizeof *parts)) return OF_NOTHING;
    return size_of(parts, (size_t)count) ? 0 : OF_NOTHING;
}

static inline unsigned read_write_flags(int flags) {
    return flags & RWF_NOWAIT ? SOCKSIFY_NONBLOCKING : 0;
}

/* ----- Receiving ----- */

static __attribute__((noinline)) ssize_t read_disturbed(int fd, void *bytes, size_t count) {
    /* A read of 0 bytes never waits. */
    if (count > 0) {
        ssize_t result;
        if (descriptor_may_be_transformed(fd) && relayed_receive_bytes(fd, bytes, count, 0, NULL, NULL, &result))
            return result;
        PREPARE(fd, 0);
        if (descriptor_may_be_encapsulated(fd) && relayed_receive_bytes(fd, bytes, count, 0, NULL, NULL, &result))
            return result;
    }
    return REAL(read)(fd, bytes, count);
}

ssize_t read(int fd, void *bytes, size_t count) {
    __typeof__(&read) known = KNOWN(read);
    if (pending_is_undisturbed(pending_word()) && known) return known(fd, bytes, count);
    return read_disturbed(fd, bytes, count);
}

ssize_t __read(int fd, void *bytes, size_t count) __attribute__((alias("read")));

/* libc ends the program if there is too little room. */
STREAM(ssize_t, __read_chk, (int fd, void *bytes, size_t count, size_t room), (fd, bytes, count, room), 0,
       count > 0 && count <= room && relayed_receive_bytes(fd, bytes, count, 0, NULL, NULL, &result))
STREAM(ssize_t, readv, (int fd, const struct iovec *parts, int count), (fd, parts, count), parts_flags(parts, count),
       relayed_receive_parts(fd, parts, count, &result))
STREAM(ssize_t, preadv2, (int fd, const struct iovec *parts, int count, off_t offset, int flags),
       (fd, parts, count, offset, flags), read_write_flags(flags) | parts_flags(parts, count),
       relayed_receive_parts(fd, parts, count, &result))

ssize_t preadv64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
    __attribute__((alias("preadv2")));

STREAM(ssize_t, recv, (int fd, void *bytes, size_t count, int flags), (fd, bytes, count, flags), receiving_flags(flags),
       relayed_receive_bytes(fd, bytes, count, flags, NULL, NULL, &result))
STREAM(ssize_t, __recv_chk, (int fd, void *bytes, size_t count, size_t room, int flags),
       (fd, bytes, count, room, flags), receiving_flags(flags),
       count <= room && relayed_receive_bytes(fd, bytes, count, flags, NULL, NULL, &result))
/* While a thread waits in one of the calls below, another may send the socket's first relayed datagram; the answers
 * then arrive encapsulated. (The calls above are for sockets that were connected before.) */

/* Datagrams to a peer that has sent to a direct socket go direct, too. */
static inline ssize_t noted(int fd, ssize_t received, int flags, const struct sockaddr *address, socklen_t length) {
    if (received >= 0 && is_internet(address, length) && !(flags & MSG_ERRQUEUE) && !process_is_confined())
        socksify_received_from(fd, address, length);
    return received;
}

static int is_late(int fd, ssize_t received) {
    return received >= 0 && descriptor_may_be_relayed(fd) && socksify_is_relayed(fd);
}

/* Whether there is only one thread, and nothing is pending or relayed. */
static inline int is_simple_receipt(void) {
    return pending_is_undisturbed(pending_word()) && !process_is_threaded();
}

static __attribute__((noinline)) ssize_t recvfrom_disturbed(int fd, void *bytes, size_t count, int flags,
                                                            struct sockaddr *address, socklen_t *length) {
    ssize_t result;
    if (descriptor_may_be_transformed(fd) && relayed_receive_bytes(fd, bytes, count, flags, address, length, &result))
        return result;
    PREPARE(fd, receiving_flags(flags));
    if (descriptor_may_be_encapsulated(fd) && relayed_receive_bytes(fd, bytes, count, flags, address, length, &result))
        return result;
    socklen_t room = address && length ? *length : 0;
    result = REAL(recvfrom)(fd, bytes, count, flags, address, length);
    if (!is_late(fd, result)) return noted(fd, result, flags, address, room ? *length : 0);
    struct iovec part = {bytes, count};
    struct msghdr message = {address, room, &part, 1, NULL, 0, 0};
    if (!relayed_late(fd, &message, flags, &result))
        return relayed_receive_bytes(fd, bytes, count, flags, address, length, &result) ? result : -1;
    if (address && length) *length = message.msg_namelen;
    return result;
}

ssize_t recvfrom(int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length) {
    __typeof__(&recvfrom) known = KNOWN(recvfrom);
    if (is_simple_receipt() && known && !address) return known(fd, bytes, count, flags, address, length);
    return recvfrom_disturbed(fd, bytes, count, flags, address, length);
}

ssize_t __recvfrom_chk(int fd, void *bytes, size_t count, size_t room, int flags, struct sockaddr *address,
                       socklen_t *length) {
    if (count > room) return REAL(__recvfrom_chk)(fd, bytes, count, room, flags, address, length);
    return recvfrom(fd, bytes, count, flags, address, length);
}

static inline int has_control(const struct msghdr *message) {
    return (uintptr_t)message >= 4096 && message->msg_controllen > 0;
}

static inline int has_name(const struct msghdr *message) {
    return (uintptr_t)message >= 4096 && message->msg_name;
}

/* Calls `visit` for the descriptors in a message (unix(7), SCM_RIGHTS) until it returns something other than
 * SOCKSIFY_PASS, and returns that. */
static int visit_rights(const struct msghdr *message, int (*visit)(int fd)) {
    if (!has_control(message)) return SOCKSIFY_PASS;
    struct msghdr given = *message;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(&given); control; control = CMSG_NXTHDR(&given, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
        size_t size = control->cmsg_len > CMSG_LEN(0) ? control->cmsg_len - CMSG_LEN(0) : 0;
        for (size_t at = 0; at + sizeof(int) <= size; at += sizeof(int)) {
            int fd;
            memcpy(&fd, CMSG_DATA(control) + at, sizeof fd);
            int result = visit(fd);
            if (result != SOCKSIFY_PASS) return result;
        }
    }
    return SOCKSIFY_PASS;
}

/* A descriptor that was sent to another process has a duplicate there. */
static int note_sent(int fd) {
    descriptor_set_mark(fd, DESCRIPTOR_DUPLICATED);
    return SOCKSIFY_PASS;
}

static int note_received(int fd) {
    descriptor_set_mark(fd, DESCRIPTOR_DUPLICATED);
    socksify_received_descriptor(fd);
    return SOCKSIFY_PASS;
}

static int prepare_to_send(int fd) {
    /* Its context stays here: whoever has it there would write past the encapsulation. */
    if (descriptor_may_be_encapsulated(fd)) return -EPERM;
    return descriptor_may_be_pending(fd) ? socksify_prepare_to_send_descriptor(fd) : SOCKSIFY_PASS;
}

/* Whether only this process receives from a unix(7) socket: both ends of the pair belong to it. */
static int is_for_itself(int fd) {
    struct ucred maker;
    return environment_is_alone() && !process_is_confined() &&
           kernel_getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &maker, sizeof maker) == 0 && maker.pid == process_own_id();
}

/* Before descriptors are sent to another process, which cannot continue handshakes of this one: waits for those of the
 * sockets in the message. SOCKSIFY_PASS, or a negative error number. */
static int prepare_rights(int fd, const struct msghdr *message) {
    if (pending_is_undisturbed(pending_word()) || !has_control(message)) return SOCKSIFY_PASS;
    if (!is_readable(message->msg_control, message->msg_controllen) || is_for_itself(fd)) return SOCKSIFY_PASS;
    return visit_rights(message, prepare_to_send);
}

static __attribute__((noinline)) ssize_t recvmsg_disturbed(int fd, struct msghdr *message, int flags) {
    ssize_t result;
    if (descriptor_may_be_transformed(fd) && (uintptr_t)message >= 4096 && relayed_receive(fd, message, flags, &result))
        return result;
    PREPARE(fd, receiving_flags(flags));
    if (descriptor_may_be_encapsulated(fd) && (uintptr_t)message >= 4096 &&
        relayed_receive(fd, message, flags, &result))
        return result;
    socklen_t room = (uintptr_t)message >= 4096 ? message->msg_namelen : 0;
    result = REAL(recvmsg)(fd, message, flags);
    if (result >= 0) visit_rights(message, note_received);
    if (!is_late(fd, result)) return noted(fd, result, flags, room ? message->msg_name : NULL, message->msg_namelen);
    if (relayed_late(fd, message, flags, &result)) return result;
    message->msg_namelen = room;
    return relayed_receive(fd, message, flags, &result) ? result : -1;
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    __typeof__(&recvmsg) known = KNOWN(recvmsg);
    if (is_simple_receipt() && known && !has_control(message) && !has_name(message)) return known(fd, message, flags);
    return recvmsg_disturbed(fd, message, flags);
}

/* Decapsulates all messages; returns the number of those that the program must see. */
static int take_late(int fd, struct mmsghdr *messages, int received, int flags) {
    int kept = 0;
    for (int index = 0; index < received; index++) {
        struct mmsghdr message = messages[index];
        ssize_t length = message.msg_len;
        if (!relayed_late(fd, &message.msg_hdr, flags, &length)) continue;
        message.msg_len = (unsigned)length;
        messages[index] = messages[kept];
        messages[kept++] = message;
    }
    if (kept > 0) return kept;
    errno = EAGAIN;
    return -1;
}

int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout) {
    int relayed;
    if (descriptor_may_be_transformed(fd) && count > 0 && (uintptr_t)messages >= 4096 &&
        relayed_receive_several(fd, messages, count, flags, timeout, &relayed))
        return relayed;
    PREPARE(fd, receiving_flags(flags));
    if (descriptor_may_be_encapsulated(fd) && count > 0 && (uintptr_t)messages >= 4096 &&
        relayed_receive_several(fd, messages, count, flags, timeout, &relayed))
        return relayed;
    int received = REAL(recvmmsg)(fd, messages, count, flags, timeout);
    int is_relayed = received > 0 && is_late(fd, received);
    if (is_relayed) received = take_late(fd, messages, received, flags);
    for (int index = 0; index < received; index++) {
        const struct msghdr *message = &messages[index].msg_hdr;
        visit_rights(message, note_received);
        if (!is_relayed) noted(fd, 0, flags, message->msg_name, message->msg_namelen);
    }
    return received;
}

/* ----- Sending ----- */

STREAM(ssize_t, write, (int fd, const void *bytes, size_t count), (fd, bytes, count), SOCKSIFY_SENDING,
       relayed_send_bytes(fd, bytes, count, 0, &result))

ssize_t __write(int fd, const void *bytes, size_t count) __attribute__((alias("write")));

STREAM(ssize_t, writev, (int fd, const struct iovec *parts, int count), (fd, parts, count),
       SOCKSIFY_SENDING | parts_flags(parts, count),
       relayed_send_parts(fd, parts, count, &result))
STREAM(ssize_t, pwritev2, (int fd, const struct iovec *parts, int count, off_t offset, int flags),
       (fd, parts, count, offset, flags), SOCKSIFY_SENDING | read_write_flags(flags) | parts_flags(parts, count),
       relayed_send_parts(fd, parts, count, &result))

ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off64_t offset, int flags)
    __attribute__((alias("pwritev2")));

STREAM(ssize_t, send, (int fd, const void *bytes, size_t count, int flags), (fd, bytes, count, flags),
       SOCKSIFY_SENDING | message_flags(flags), relayed_send_bytes(fd, bytes, count, flags, &result))

ssize_t __send(int fd, const void *bytes, size_t count, int flags) __attribute__((alias("send")));

ssize_t sendto(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address, socklen_t length) {
    ssize_t result;
    enum sending sending = SENT_BY_LIBC;
    if (is_to_be_decided(fd, address, length))
        sending = decide_and_send_bytes(fd, bytes, count, flags, address, length, &result);
    if (sending == SENT) return result;
    PREPARE(fd, SOCKSIFY_SENDING | message_flags(flags));
    if (descriptor_may_be_encapsulated(fd) && relayed_send_bytes(fd, bytes, count, flags, &result)) return result;
    if (sending == SENT_BY_LIBC) return REAL(sendto)(fd, bytes, count, flags, address, length);
    return REAL(sendto)(fd, bytes, count, flags & ~MSG_FASTOPEN, NULL, 0);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    ssize_t result;
    enum sending sending = SENT_BY_LIBC;
    if ((uintptr_t)message >= 4096 && is_to_be_decided(fd, message->msg_name, message->msg_namelen))
        sending = decide_and_send(fd, message, flags, &result);
    if (sending == SENT) return result;
    PREPARE(fd, SOCKSIFY_SENDING | message_flags(flags));
    if (descriptor_may_be_encapsulated(fd) && (uintptr_t)message >= 4096 &&
        decide_and_send(fd, message, flags, &result) == SENT)
        return result;
    if (sending == SENT_BY_LIBC) {
        int prepared = prepare_rights(fd, message);
        if (prepared != SOCKSIFY_PASS) return returned(prepared);
        ssize_t sent = REAL(sendmsg)(fd, message, flags);
        if (sent >= 0) visit_rights(message, note_sent);
        return sent;
    }
    struct msghdr unaddressed = *message;
    unaddressed.msg_name = NULL;
    unaddressed.msg_namelen = 0;
    return REAL(sendmsg)(fd, &unaddressed, flags & ~MSG_FASTOPEN);
}

/* Sends the messages before the first with a refused destination, as the kernel does if one fails. */
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags) {
    int sent, has_messages = (uintptr_t)messages >= 4096;
    if (has_messages && relayed_send_several(fd, messages, &count, &flags, &sent)) return sent;
    PREPARE(fd, SOCKSIFY_SENDING | message_flags(flags));
    if (descriptor_may_be_encapsulated(fd) && has_messages &&
        relayed_send_several(fd, messages, &count, &flags, &sent))
        return sent;
    for (unsigned int index = 0; has_messages && index < count; index++) {
        int prepared = prepare_rights(fd, &messages[index].msg_hdr);
        if (prepared == SOCKSIFY_PASS) continue;
        if (index == 0) return returned(prepared);
        count = index;
    }
    sent = REAL(sendmmsg)(fd, messages, count, flags);
    for (int index = 0; index < sent; index++) visit_rights(&messages[index].msg_hdr, note_sent);
    return sent;
}

/* ----- From one descriptor to another ----- */

STREAM(ssize_t, sendfile, (int fd, int from, off_t *offset, size_t count), (fd, from, offset, count),
       SOCKSIFY_SENDING,
       (descriptor_may_be_encapsulated(fd) && stream_send_file(fd, from, offset, count, &result)) ||
           relayed_transfer(fd, &result))

ssize_t sendfile64(int to, int from, off64_t *offset, size_t count) __attribute__((alias("sendfile")));

ssize_t splice(int from, off64_t *from_offset, int to, off64_t *to_offset, size_t count, unsigned int flags) {
    ssize_t result;
    if (descriptor_may_be_transformed(from) && relayed_transfer(from, &result)) return result;
    if (descriptor_may_be_transformed(to) && relayed_transfer(to, &result)) return result;
    unsigned waits = flags & SPLICE_F_NONBLOCK ? SOCKSIFY_NONBLOCKING : 0;
    PREPARE(from, waits);
    PREPARE(to, SOCKSIFY_SENDING | waits);
    if (descriptor_may_be_encapsulated(from) && relayed_transfer(from, &result)) return result;
    if (descriptor_may_be_encapsulated(to) && relayed_transfer(to, &result)) return result;
    return REAL(splice)(from, from_offset, to, to_offset, count, flags);
}
