/* Sends datagrams that are relayed. */
#include "Datagrams.h"

#include <limits.h>
#include <netinet/udp.h>
#include <sys/uio.h>

#include "EncapsulatedStreams.h"
#include "Encapsulation.h"

/* Makes `encapsulated` the message with its header; `parts` has room for one part more than the message has. */
static void encapsulate(struct msghdr *encapsulated, const struct msghdr *message, struct iovec *parts,
                        struct udp_encapsulation *encapsulation) {
    parts[0] = (struct iovec){encapsulation->header, encapsulation->header_length};
    if (message->msg_iovlen) memcpy(parts + 1, message->msg_iov, message->msg_iovlen * sizeof *parts);
    *encapsulated = *message;
    encapsulated->msg_iov = parts;
    encapsulated->msg_iovlen++;
    encapsulated->msg_name = encapsulation->address_length ? &encapsulation->address : NULL;
    encapsulated->msg_namelen = encapsulation->address_length;
}

/* The control messages of a datagram: first those for its route, then the program's own, which override them. */
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

/* Sends a datagram that goes direct, by the route that the program has set and that the kernel's socket lacks. */
static __attribute__((noinline)) ssize_t send_by_way(int fd, const struct msghdr *message, int flags,
                                                     const struct udp_way *way) {
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

static inline ssize_t send_in_envelope(int fd, const struct msghdr *message, int flags,
                                       struct udp_encapsulation *encapsulation) {
    struct part_list list;
    struct iovec *parts = take_parts(&list, message->msg_iovlen + 1);
    if (!parts) return -1;
    struct msghdr encapsulated;
    encapsulate(&encapsulated, message, parts, encapsulation);
    ssize_t sent = REAL(sendmsg)(fd, &encapsulated, flags);
    give_back_parts(&list);
    return sent < 0 ? sent : sent - (ssize_t)encapsulation->header_length;
}

/* Sends a message as decided, unless libc must send it. Returns the result of the call. */
static inline __attribute__((always_inline)) ssize_t send_decided(
    int fd, const struct msghdr *message, int flags, int decision, struct udp_encapsulation *encapsulation) {
    if (decision == 0) return send_in_envelope(fd, message, flags, encapsulation);
    if (decision == SOCKSIFY_BY_WAY) return send_by_way(fd, message, flags, &encapsulation->way);
    if (decision == SOCKSIFY_TAKEN) return (ssize_t)size_of(message->msg_iov, message->msg_iovlen);
    return returned(decision);
}

/* Whether a failed message must be routed and sent again, because the relay is gone. */
static int is_to_be_repeated(int fd, int decision) {
    return decision == 0 && errno == ECONNREFUSED && !socksify_is_refused(fd);
}

static __attribute__((noinline)) enum sending decide_and_send_datagram(int fd, const struct msghdr *message, int flags,
                                                                       ssize_t *result) {
    struct udp_encapsulation encapsulation;
    for (int attempt = 1;; attempt++) {
        int decision = socksify_send(fd, message, flags, &encapsulation);
        if (decision == SOCKSIFY_PASS) return SENT_BY_LIBC;
        if (decision == SOCKSIFY_UNADDRESSED) return SENT_BY_LIBC_UNADDRESSED;
        *result = send_decided(fd, message, flags, decision, &encapsulation);
        if (*result >= 0 || attempt == ATTEMPTS || !is_to_be_repeated(fd, decision)) return SENT;
    }
}

/* The frame of a datagram's header is not there while a stream waits. */
enum sending decide_and_send(int fd, const struct msghdr *message, int flags, ssize_t *result) {
    if (descriptor_may_be_encapsulated(fd) && stream_send(fd, message->msg_iov, message->msg_iovlen, flags, result))
        return SENT;
    return decide_and_send_datagram(fd, message, flags, result);
}

enum sending decide_and_send_bytes(int fd, const void *bytes, size_t count, int flags, const struct sockaddr *address,
                                   socklen_t length, ssize_t *result) {
    /* The most that the kernel takes in one call. */
    struct iovec part = {(void *)bytes, count < INT_MAX ? count : INT_MAX};
    struct msghdr message = {(void *)address, address ? length : 0, &part, 1, NULL, 0, 0};
    return decide_and_send(fd, &message, flags, result);
}

int relayed_send_bytes(int fd, const void *bytes, size_t count, int flags, ssize_t *result) {
    return decide_and_send_bytes(fd, bytes, count, flags, NULL, 0, result) == SENT;
}

int relayed_send_parts(int fd, const struct iovec *parts, int count, ssize_t *result) {
    /* writev(2) of 0 bytes sends no datagram. */
    if (count < 0 || count > IOV_MAX || ((uintptr_t)parts >= 4096 && size_of(parts, (size_t)count) == 0)) return 0;
    struct msghdr message = {NULL, 0, (void *)parts, (size_t)count, NULL, 0, 0};
    return decide_and_send(fd, &message, 0, result) == SENT;
}

/* ----- Several at once ----- */

/* A message that was routed before its turn. */
struct decided {
    unsigned index;
    int decision;
    struct udp_encapsulation encapsulation;
};

/* Messages that are sent by one system call. */
struct batch {
    struct mmsghdr encapsulated[BATCH];
    struct iovec parts[BATCH_PARTS];
    struct udp_encapsulation encapsulation[BATCH];
    unsigned count, parts_count;
    struct decided ahead;
    /* The number of first messages that libc must send. */
    unsigned passed;
};

static int decision_on(const struct batch *batch, int fd, const struct msghdr *message, unsigned index, int flags,
                       struct udp_encapsulation *encapsulation) {
    if (index < batch->passed) return SOCKSIFY_PASS;
    if (index == batch->ahead.index) {
        *encapsulation = batch->ahead.encapsulation;
        return batch->ahead.decision;
    }
    if (!is_to_be_decided(fd, message->msg_name, message->msg_namelen)) return SOCKSIFY_PASS;
    int decision = socksify_send(fd, message, flags, encapsulation);
    /* Another thread has put a stream socket there, which ignores the address. */
    return decision == SOCKSIFY_UNADDRESSED ? SOCKSIFY_PASS : decision;
}

/* Adds a message to the batch. Returns 0 if it cannot go with the others; it is then stored as `ahead`. */
static int add(struct batch *batch, int fd, const struct msghdr *message, unsigned index, int flags) {
    if (batch->count == BATCH) return 0;
    struct udp_encapsulation *encapsulation = &batch->encapsulation[batch->count];
    struct msghdr *encapsulated = &batch->encapsulated[batch->count].msg_hdr;
    int decision = decision_on(batch, fd, message, index, flags, encapsulation);
    if (decision == SOCKSIFY_PASS) {
        encapsulation->header_length = 0;
        *encapsulated = *message;
    } else if (decision == 0 && batch->parts_count + message->msg_iovlen + 1 <= BATCH_PARTS) {
        encapsulate(encapsulated, message, &batch->parts[batch->parts_count], encapsulation);
        batch->parts_count += message->msg_iovlen + 1;
    } else {
        batch->ahead = (struct decided){index, decision, *encapsulation};
        return 0;
    }
    batch->count++;
    return 1;
}

/* Sends the batch, and returns how many messages were sent; `errno` has the error of the first that failed. */
static int send_batch(struct batch *batch, int fd, struct mmsghdr *messages, int flags) {
    int sent = REAL(sendmmsg)(fd, batch->encapsulated, batch->count, flags);
    for (int index = 0; index < sent; index++)
        messages[index].msg_len = batch->encapsulated[index].msg_len - batch->encapsulation[index].header_length;
    return sent;
}

static int is_sent(struct mmsghdr *message, ssize_t result) {
    if (result >= 0) message->msg_len = (unsigned)result;
    return result >= 0;
}

/* The relay is gone: routes the message again. */
static int repeat(struct batch *batch, int fd, struct mmsghdr *message, int flags) {
    ssize_t result;
    /* A message that was routed to the same relay is routed again, too. */
    if (batch->ahead.decision == 0) batch->ahead.index = UINT_MAX;
    if (decide_and_send_datagram(fd, &message->msg_hdr, flags, &result) != SENT)
        result = REAL(sendmsg)(fd, &message->msg_hdr, flags);
    return is_sent(message, result);
}

static int send_several(struct batch *batch, int fd, struct mmsghdr *messages, unsigned count, int flags) {
    unsigned done = 0;
    while (done < count) {
        struct mmsghdr *next = messages + done;
        batch->count = batch->parts_count = 0;
        unsigned index = done;
        while (index < count && add(batch, fd, &messages[index].msg_hdr, index, flags)) index++;
        int decision = batch->count > 0 ? 0 : batch->ahead.decision, planned = 1, sent;
        /* sendmmsg(2) reports only the first message's error. */
        if (decision < 0 && done > 0) break;
        if (batch->count > 0)
            sent = send_batch(batch, fd, next, flags), planned = (int)batch->count;
        else
            sent = is_sent(next, send_decided(fd, &next->msg_hdr, flags, decision, &batch->ahead.encapsulation));
        if (sent <= 0 && is_to_be_repeated(fd, decision))
            sent = repeat(batch, fd, next, flags), planned = 1;
        if (sent > 0) done += (unsigned)sent;
        if (sent < planned) break;
    }
    return done > 0 ? (int)done : -1;
}

/* Routes the messages up to the first that libc must not send. */
static __attribute__((noinline)) int send_several_datagrams(int fd, struct mmsghdr *messages, unsigned *count,
                                                            int *flags, int *result) {
    struct decided first = {.index = 0};
    for (; first.index < *count; first.index++) {
        const struct msghdr *message = &messages[first.index].msg_hdr;
        if (!is_to_be_decided(fd, message->msg_name, message->msg_namelen)) continue;
        first.decision = socksify_send(fd, message, *flags, &first.encapsulation);
        if (first.decision == SOCKSIFY_UNADDRESSED)
            *flags &= ~MSG_FASTOPEN;
        else if (first.decision != SOCKSIFY_PASS)
            break;
    }
    if (first.index == *count) return 0;
    if (first.decision < 0 && first.index > 0) {
        *count = first.index;
        return 0;
    }
    struct batch *batch = first.decision < 0 ? NULL : library_memory_take();
    if (!batch) {
        *result = returned(first.decision < 0 ? first.decision : -ENOBUFS);
        return 1;
    }
    batch->ahead = first;
    batch->passed = first.index;
    *result = send_several(batch, fd, messages, *count, *flags);
    library_memory_give_back(batch);
    return 1;
}

int relayed_send_several(int fd, struct mmsghdr *messages, unsigned *count, int *flags, int *result) {
    ssize_t length;
    if (*count == 0 || !descriptor_may_be_encapsulated(fd) ||
        !stream_send(fd, messages->msg_hdr.msg_iov, messages->msg_hdr.msg_iovlen, *flags, &length))
        return send_several_datagrams(fd, messages, count, flags, result);
    if (length >= 0) messages->msg_len = (unsigned)length;
    *result = length < 0 ? -1 : 1;
    return 1;
}

int relayed_transfer(int fd, ssize_t *result) {
    if (!socksify_is_relayed(fd)) return 0;
    errno = EINVAL;
    *result = -1;
    return 1;
}
