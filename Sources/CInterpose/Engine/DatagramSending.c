/* Sends datagrams that are carried. */
#include "Datagrams.h"

#include <limits.h>
#include <netinet/udp.h>
#include <sys/uio.h>

#include "Envelopes.h"

/* Whether the message asks for what cannot be had with a header before each datagram. Programs know these answers from
 * kernels and network cards that cannot do it either. */
static int refusal(const struct msghdr *message, int flags) {
    if (flags & MSG_ZEROCOPY) return ENOBUFS;
    if (flags & MSG_MORE) return EOPNOTSUPP;
    if (!message->msg_control || message->msg_controllen < sizeof(struct cmsghdr)) return 0;
    struct msghdr given = *message;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(&given); control; control = CMSG_NXTHDR(&given, control))
        if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_SEGMENT) return EIO;
    return 0;
}

/* What the kernel says of the parts, and of more bytes than a datagram has. */
static int fault(const struct msghdr *message) {
    int error = fault_of(message->msg_iov, message->msg_iovlen);
    if (!error && size_of(message->msg_iov, message->msg_iovlen) > LONGEST_DATAGRAM) return EMSGSIZE;
    return error;
}

/* Makes `wrapped` the message in its envelope; `parts` has room for one more than the message has. */
static void put_in(struct msghdr *wrapped, const struct msghdr *message, struct iovec *parts,
                   struct socksify_envelope *envelope) {
    parts[0] = (struct iovec){envelope->header, envelope->header_length};
    if (message->msg_iovlen) memcpy(parts + 1, message->msg_iov, message->msg_iovlen * sizeof *parts);
    *wrapped = *message;
    wrapped->msg_iov = parts;
    wrapped->msg_iovlen++;
    wrapped->msg_name = envelope->address_length ? &envelope->address : NULL;
    wrapped->msg_namelen = envelope->address_length;
}

/* The messages that control a datagram: those that say which way it takes, then the program's own, which count more. */
struct controls {
    _Alignas(struct cmsghdr) uint8_t bytes[512];
    size_t length;
};

static void add_control(struct controls *controls, int level, int type, const void *value, size_t length) {
    struct cmsghdr *control = (struct cmsghdr *)(controls->bytes + controls->length);
    memset(control, 0, CMSG_SPACE(length));
    *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(length), .cmsg_level = level, .cmsg_type = type};
    memcpy(CMSG_DATA(control), value, length);
    controls->length += CMSG_SPACE(length);
}

/* Sends a datagram that goes directly, by the way that the program has set: the kernel's socket does not know of it. */
static __attribute__((noinline)) ssize_t send_by_way(int fd, const struct msghdr *message, int flags,
                                                     const struct socksify_way *way) {
    struct controls controls = {.length = 0};
    if (way->mark) add_control(&controls, SOL_SOCKET, SO_MARK, &way->mark, sizeof way->mark);
    if (way->device && way->is_ipv6) {
        struct in6_pktinfo by = {.ipi6_ifindex = (unsigned)way->device};
        add_control(&controls, SOL_IPV6, IPV6_PKTINFO, &by, sizeof by);
    } else if (way->device) {
        struct in_pktinfo by = {.ipi_ifindex = way->device};
        add_control(&controls, SOL_IP, IP_PKTINFO, &by, sizeof by);
    }
    size_t own = message->msg_control ? message->msg_controllen : 0;
    if (own > sizeof controls.bytes - controls.length) return returned(-ENOBUFS);
    if (own) memcpy(controls.bytes + controls.length, message->msg_control, own);
    struct msghdr directed = *message;
    directed.msg_control = controls.bytes;
    directed.msg_controllen = controls.length + own;
    return REAL(sendmsg)(fd, &directed, flags);
}

int carried_send(int fd, const struct msghdr *message, int flags, ssize_t *result) {
    struct socksify_envelope envelope;
    *result = -1;
    int error = fault(message);
    if (error) {
        errno = error;
        return 1;
    }
    for (int attempt = 1;; attempt++) {
        envelope.refusal = refusal(message, flags);
        int decision = socksify_wrap(fd, message, flags, &envelope);
        if (decision == SOCKSIFY_PASS) return 0;
        if (decision == SOCKSIFY_BY_WAY) {
            *result = send_by_way(fd, message, flags, &envelope.way);
            return 1;
        }
        if (decision == SOCKSIFY_TAKEN) {
            *result = (ssize_t)size_of(message->msg_iov, message->msg_iovlen);
            return 1;
        }
        if (decision < 0) {
            *result = returned(decision);
            return 1;
        }
        struct part_list list;
        struct iovec *parts = take_parts(&list, message->msg_iovlen + 1);
        if (!parts) return 1;
        struct msghdr wrapped;
        put_in(&wrapped, message, parts, &envelope);
        *result = REAL(sendmsg)(fd, &wrapped, flags);
        give_back_parts(&list);
        if (*result >= 0) *result -= envelope.header_length;
        if (*result >= 0 || errno != ECONNREFUSED || attempt == ATTEMPTS || socksify_is_refused(fd)) return 1;
    }
}

int carried_send_bytes(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address,
                       socklen_t length, ssize_t *result) {
    /* As much as the kernel takes in one call. */
    struct iovec part = {(void *)bytes, count < INT_MAX ? count : INT_MAX};
    struct msghdr message = {(void *)address, address ? length : 0, &part, 1, NULL, 0, 0};
    return carried_send(fd, &message, flags, result);
}

int carried_send_parts(int fd, const struct iovec *parts, int count, ssize_t *result) {
    /* writev(2) of nothing sends no datagram. */
    if (count < 0 || count > IOV_MAX || ((uintptr_t)parts >= 4096 && size_of(parts, (size_t)count) == 0)) return 0;
    struct msghdr message = {NULL, 0, (void *)parts, (size_t)count, NULL, 0, 0};
    return carried_send(fd, &message, 0, result);
}

/* Messages on their way together. */
struct batch {
    struct mmsghdr wrapped[BATCH];
    struct iovec parts[BATCH_PARTS];
    struct socksify_envelope envelopes[BATCH];
    unsigned count, parts_count;
};

static int has_room(const struct batch *batch, const struct msghdr *message) {
    return batch->count < BATCH && batch->parts_count + message->msg_iovlen + 1 <= BATCH_PARTS;
}

enum addition {
    ADDED,
    /* It cannot go with the others. */
    APART,
    /* It was sent, or kept: it does not go through the kernel with the others. */
    TAKEN,
    /* It is the first, and fails, as `errno` says. */
    FAILED,
};

/* Adds the message to the batch. */
static enum addition add(struct batch *batch, int fd, const struct msghdr *message, int flags) {
    if (!has_room(batch, message) || fault(message)) return APART;
    struct socksify_envelope *envelope = &batch->envelopes[batch->count];
    envelope->refusal = refusal(message, flags);
    struct mmsghdr *wrapped = &batch->wrapped[batch->count];
    int decision = socksify_wrap(fd, message, flags, envelope);
    if (decision == SOCKSIFY_PASS) {
        envelope->header_length = 0;
        wrapped->msg_hdr = *message;
    } else if (decision == 0) {
        put_in(&wrapped->msg_hdr, message, &batch->parts[batch->parts_count], envelope);
        batch->parts_count += message->msg_iovlen + 1;
    } else if (decision == SOCKSIFY_TAKEN) {
        return TAKEN;
    } else if (decision == SOCKSIFY_BY_WAY) {
        return APART;
    } else if (batch->count > 0) {
        return APART;
    } else {
        errno = -decision;
        return FAILED;
    }
    batch->count++;
    return ADDED;
}

/* Sends what the batch has, and returns how many of it went; the first that did not has its error in `errno`. */
static int send_batch(struct batch *batch, int fd, struct mmsghdr *messages, int flags) {
    int sent = REAL(sendmmsg)(fd, batch->wrapped, batch->count, flags);
    for (int index = 0; index < sent; index++)
        messages[index].msg_len = batch->wrapped[index].msg_len - batch->envelopes[index].header_length;
    return sent;
}

static int send_several(struct batch *batch, int fd, struct mmsghdr *messages, unsigned count, int flags) {
    unsigned done = 0;
    int sent = 0;
    while (done < count) {
        batch->count = batch->parts_count = 0;
        enum addition added = ADDED;
        unsigned next = done;
        while (next < count && (added = add(batch, fd, &messages[next].msg_hdr, flags)) == ADDED) next++;
        if (batch->count > 0) {
            sent = send_batch(batch, fd, messages + done, flags);
            if (sent < 0 && errno == ECONNREFUSED && !socksify_is_refused(fd)) {
                added = APART;
                next = done;
            } else if (sent < (int)batch->count) {
                if (sent > 0) done += (unsigned)sent;
                break;
            } else {
                done = next;
                /* What was apart may be the first of others. */
                if (added != TAKEN) continue;
            }
        }
        const struct msghdr *message = &messages[next].msg_hdr;
        ssize_t one = -1;
        if (added == TAKEN) one = (ssize_t)size_of(message->msg_iov, message->msg_iovlen);
        /* By itself, with what is tried again there. */
        if (added == APART && !carried_send(fd, message, flags, &one)) one = REAL(sendmsg)(fd, message, flags);
        if (one < 0) {
            sent = -1;
            break;
        }
        messages[next].msg_len = (unsigned)one;
        done = next + 1;
    }
    return done > 0 || count == 0 ? (int)done : sent;
}

int carried_send_several(int fd, struct mmsghdr *messages, unsigned count, int flags, int *result) {
    if (!socksify_is_carried(fd)) return 0;
    struct batch *batch = library_memory_take();
    if (!batch) {
        *result = returned(-ENOBUFS);
        return 1;
    }
    *result = send_several(batch, fd, messages, count, flags);
    library_memory_give_back(batch);
    return 1;
}

int carried_transfer(int fd, ssize_t *result) {
    if (!socksify_is_carried(fd)) return 0;
    errno = EINVAL;
    *result = -1;
    return 1;
}
