/* Receives datagrams that are relayed. */
#include "Datagrams.h"

#include <limits.h>
#include <linux/errqueue.h>
#include <poll.h>
#include <sys/uio.h>

#include "CallWait.h"
#include "Durations.h"
#include "EncapsulatedStreams.h"
#include "Encapsulation.h"

/* The milliseconds left of SO_RCVTIMEO in a call that began at that tick; -1: unlimited. */
static int time_left(int fd, uint32_t began) {
    int limit = socksify_receive_timeout(fd);
    if (limit < 0) return -1;
    int64_t ticks = (uint32_t)(descriptor_tick() - began);
    /* The first tick may have been nearly over. */
    int64_t left = ticks > 0 ? limit - (ticks - 1) * 1000 / 256 : limit;
    return left > 0 ? (int)left : 0;
}

/* Before a call that waits: its datagram may depend on internal connections, which advance meanwhile; and after a
 * dropped datagram the kernel would restart the call's time limit. Returns 0 if the call is over. */
static int wait_to_receive(int fd, int flags, uint32_t began, int has_dropped) {
    if (!(pending_any_beside() || has_dropped) || !waits(fd, flags)) return 1;
    return wait_until_ready(fd, POLLIN, end_of(of_milliseconds(time_left(fd, began))), has_dropped);
}

/* The error queue returns sent datagrams with their encapsulation. */
static __attribute__((noinline)) int receive_error(int fd, struct udp_receive_plan plan, struct msghdr *message,
                                                   struct iovec *parts, int flags, ssize_t *result) {
    struct msghdr whole;
    struct room room;
    plan.expected = NULL;
    plan.is_connected = 0;
    make_room(&whole, message, parts, &room, &plan);
    *result = REAL(recvmsg)(fd, &whole, flags | MSG_TRUNC);
    if (*result < 0) return 1;
    if (decapsulate(&plan, message, &whole, &room, flags, result)) {
        for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
            int is_error = (control->cmsg_level == SOL_IP && control->cmsg_type == IP_RECVERR) ||
                           (control->cmsg_level == SOL_IPV6 && control->cmsg_type == IPV6_RECVERR);
            if (!is_error || control->cmsg_len < CMSG_LEN(sizeof(struct sock_extended_err) + sizeof(sa_family_t)))
                continue;
            /* The error concerns the relay, not the destination: its sender means nothing to the program. */
            struct sock_extended_err *error = (struct sock_extended_err *)CMSG_DATA(control);
            memset(SO_EE_OFFENDER(error), 0, control->cmsg_len - CMSG_LEN(sizeof *error));
        }
        return 1;
    }
    /* A notification without a datagram. */
    if (message->msg_name) message->msg_namelen = 0;
    message->msg_controllen = whole.msg_controllen;
    message->msg_flags = whole.msg_flags;
    *result = 0;
    return 1;
}

/* Receives the next datagram. Returns 0 if it was dropped, because the program must not see it. A separate function, so
 * that its frame is released while a call waits. */
static __attribute__((noinline)) int receive_now(int fd, struct msghdr *message, struct iovec *parts, int flags,
                                                 const struct udp_receive_plan *plan, ssize_t *result) {
    struct msghdr whole;
    struct room room;
    make_room(&whole, message, parts, &room, plan);
    *result = REAL(recvmsg)(fd, &whole, flags | MSG_TRUNC);
    if (*result < 0 || decapsulate(plan, message, &whole, &room, flags, result)) return 1;
    drop(fd, flags);
    *result = -1;
    return 0;
}

/* Receives one datagram; `parts` has room for two more than the message has. */
static int receive(int fd, struct msghdr *message, struct iovec *parts, int flags, ssize_t *result) {
    *result = -1;
    uint32_t began = 0;
    for (int attempt = 1, has_dropped = 0;;) {
        struct udp_receive_plan plan;
        int prepared = prepare_to_receive(fd, &plan);
        if (prepared == SOCKSIFY_PASS) return 0;
        if (prepared < 0) {
            returned(prepared);
            return 1;
        }
        if (flags & MSG_ERRQUEUE) return receive_error(fd, plan, message, parts, flags, result);
        if (!began) began = plan.tick;
        if (!wait_to_receive(fd, flags, began, has_dropped)) return 1;
        if (!receive_now(fd, message, parts, flags, &plan, result)) {
            has_dropped = 1;
        } else if (*result >= 0 || errno != ECONNREFUSED || attempt++ == ATTEMPTS || socksify_is_refused(fd)) {
            return 1;
        }
    }
}

int relayed_receive(int fd, struct msghdr *message, int flags, ssize_t *result) {
    if (descriptor_may_be_encapsulated(fd) &&
        stream_receive(fd, message->msg_iov, message->msg_iovlen, flags, result)) {
        message->msg_namelen = 0;
        message->msg_controllen = 0;
        message->msg_flags = 0;
        return 1;
    }
    *result = -1;
    int error = fault_of(message->msg_iov, message->msg_iovlen);
    if (error) {
        errno = error;
        return socksify_is_relayed(fd);
    }
    struct part_list list;
    struct iovec *parts = take_parts(&list, message->msg_iovlen + 2);
    if (!parts) return 1;
    int is_relayed = receive(fd, message, parts, flags, result);
    give_back_parts(&list);
    return is_relayed;
}

int relayed_late(int fd, struct msghdr *message, int flags, ssize_t *result) {
    struct udp_receive_plan plan;
    if (prepare_to_receive(fd, &plan) != 0) return 0;
    struct part_list list;
    struct iovec *parts = take_parts(&list, message->msg_iovlen + 2);
    if (!parts) return 0;
    struct msghdr whole;
    struct room room;
    plan.head = 0;
    plan.expected = NULL;
    make_room(&whole, message, parts, &room, &plan);
    parts[message->msg_iovlen + 1].iov_len = 0;
    whole.msg_name = message->msg_name;
    if (message->msg_name) {
        whole.msg_namelen = message->msg_namelen < sizeof room.source ? message->msg_namelen : sizeof room.source;
        memcpy(&room.source, message->msg_name, whole.msg_namelen);
    }
    int is_programs = decapsulate(&plan, message, &whole, &room, flags, result);
    give_back_parts(&list);
    return is_programs;
}

int relayed_receive_bytes(int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length,
                          ssize_t *result) {
    struct iovec part = {bytes, count}, parts[3];
    if (descriptor_may_be_encapsulated(fd) && stream_receive(fd, &part, 1, flags, result)) {
        if (*result >= 0 && address && length) *length = 0;
        return 1;
    }
    struct msghdr message = {address, address && length ? *length : 0, &part, 1, NULL, 0, 0};
    if (!receive(fd, &message, parts, flags, result)) return 0;
    if (*result >= 0 && address && length) *length = message.msg_namelen;
    return 1;
}

int relayed_receive_parts(int fd, const struct iovec *parts, int count, ssize_t *result) {
    /* read(2) of 0 bytes receives no datagram. */
    if (count < 0 || count > IOV_MAX || (uintptr_t)parts < 4096 || size_of(parts, (size_t)count) == 0) return 0;
    struct msghdr message = {NULL, 0, (void *)parts, (size_t)count, NULL, 0, 0};
    return relayed_receive(fd, &message, 0, result);
}

/* Receives up to BATCH messages by one system call. Returns the number of those that the program must see, and moves
 * them to the front of `messages`. `is_full`: whether as many arrived as were asked for. */
static int receive_batch(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout,
                         const struct udp_receive_plan *plan, int *is_full) {
    struct {
        struct mmsghdr whole[BATCH];
        struct room rooms[BATCH];
        struct iovec parts[BATCH_PARTS];
    } *batch = library_memory_take();
    if (!batch) return returned(-ENOBUFS);
    _Static_assert(sizeof *batch <= LIBRARY_MEMORY_SIZE, "the library's memory");
    struct mmsghdr *whole = batch->whole;
    struct room *rooms = batch->rooms;
    struct iovec *parts = batch->parts;
    unsigned asked = 0, parts_count = 0;
    for (; asked < count && asked < BATCH; asked++) {
        struct msghdr *message = &messages[asked].msg_hdr;
        if (parts_count + message->msg_iovlen + 2 > BATCH_PARTS) break;
        make_room(&whole[asked].msg_hdr, message, &parts[parts_count], &rooms[asked], plan);
        parts_count += message->msg_iovlen + 2;
    }
    int received = REAL(recvmmsg)(fd, whole, asked, flags | MSG_TRUNC, timeout);
    *is_full = received == (int)asked;
    int kept = 0;
    for (int index = 0; index < received; index++) {
        struct msghdr *message = &messages[index].msg_hdr;
        ssize_t length = whole[index].msg_len;
        if (!decapsulate(plan, message, &whole[index].msg_hdr, &rooms[index], flags, &length)) {
            drop(fd, flags);
            continue;
        }
        messages[index].msg_len = (unsigned)length;
        /* Dropped datagrams before it leave a gap: swap the buffers. */
        if (kept != index) {
            struct mmsghdr other = messages[kept];
            messages[kept] = messages[index];
            messages[index] = other;
        }
        kept++;
    }
    library_memory_give_back(batch);
    return received < 0 ? received : kept;
}

int relayed_receive_several(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout,
                            int *result) {
    if (descriptor_may_be_encapsulated(fd)) {
        /* One after the other: a stream has no messages of its own. */
        ssize_t length;
        if (!relayed_receive(fd, &messages->msg_hdr, flags, &length)) return 0;
        if (length >= 0) messages->msg_len = (unsigned)length;
        *result = length < 0 ? -1 : 1;
        return 1;
    }
    unsigned done = 0;
    *result = -1;
    uint32_t began = 0;
    for (int attempt = 1, has_dropped = 0; done < count;) {
        struct udp_receive_plan plan;
        int prepared = prepare_to_receive(fd, &plan);
        if (prepared == SOCKSIFY_PASS) {
            *result = (int)done;
            return done > 0;
        }
        if (prepared < 0) {
            returned(prepared);
            break;
        }
        struct msghdr *first = &messages[done].msg_hdr;
        if (flags & MSG_ERRQUEUE || first->msg_iovlen + 2 > BATCH_PARTS) {
            ssize_t one;
            if (!relayed_receive(fd, first, flags, &one) || one < 0) break;
            messages[done++].msg_len = (unsigned)one;
            continue;
        }
        if (!began) began = plan.tick;
        if (!wait_to_receive(fd, flags, began, has_dropped)) break;
        int is_full;
        int received = receive_batch(fd, messages + done, count - done, flags, timeout, &plan, &is_full);
        if (received < 0 && errno == ECONNREFUSED && attempt++ < ATTEMPTS && !socksify_is_refused(fd)) continue;
        if (received < 0) break;
        has_dropped = received == 0;
        done += (unsigned)received;
        if (done > 0 && flags & MSG_WAITFORONE) flags |= MSG_DONTWAIT;
        if (!is_full && (timeout || flags & MSG_DONTWAIT) && received > 0) break;
    }
    if (done > 0 || count == 0) *result = (int)done;
    return 1;
}
