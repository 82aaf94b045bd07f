#include "Encapsulation.h"

#include <fcntl.h>
#include <limits.h>

void make_room(struct msghdr *whole, const struct msghdr *message, struct iovec *parts, struct room *room,
               const struct udp_receive_plan *plan) {
    parts[0] = (struct iovec){room->head, plan->head};
    for (size_t index = 0; index < message->msg_iovlen; index++) {
        parts[index + 1] = message->msg_iov[index];
        /* The kernel accepts a single part that ends beyond the process' memory, but not one among others. */
        if (parts[index + 1].iov_len > LONGEST_DATAGRAM) parts[index + 1].iov_len = LONGEST_DATAGRAM;
    }
    parts[message->msg_iovlen + 1] = (struct iovec){room->tail, sizeof room->tail};
    *whole = *message;
    /* The source is the peer if the socket is connected. */
    whole->msg_name = plan->is_connected ? NULL : &room->source;
    whole->msg_namelen = plan->is_connected ? 0 : sizeof room->source;
    whole->msg_iov = parts;
    whole->msg_iovlen += 2;
}

static void answer_name(struct msghdr *message, const struct sockaddr_storage *source, socklen_t length) {
    if (!message->msg_name) return;
    memcpy(message->msg_name, source, length < message->msg_namelen ? length : message->msg_namelen);
    message->msg_namelen = length;
}

/* Whether the header lies completely in its own part, which is the usual case. */
static int is_in_head(const uint8_t *head, size_t length) {
    /* ATYP: an IPv4 address, or an IPv6 address. */
    return (length >= 10 && head[3] == 1) || (length >= 22 && head[3] == 4);
}

/* Fills in what the call returns for a datagram that the program must see. */
static void conclude(struct msghdr *message, const struct msghdr *whole, int flags, size_t payload, size_t room,
                     ssize_t *received) {
    message->msg_controllen = whole->msg_controllen;
    message->msg_flags = (whole->msg_flags & ~MSG_TRUNC) | (payload > room ? MSG_TRUNC : 0);
    *received = (ssize_t)(flags & MSG_TRUNC || payload < room ? payload : room);
}

int decapsulate(const struct udp_receive_plan *plan, struct msghdr *message, struct msghdr *whole,
                struct room *around, int flags, ssize_t *received) {
    uint8_t gathered[LONGEST_HEADER];
    struct udp_decapsulated decapsulated;
    const struct iovec *parts = whole->msg_iov;
    size_t head = parts[0].iov_len, length = (size_t)*received;
    size_t room = size_of(message->msg_iov, message->msg_iovlen);
    if (plan->expected && !message->msg_name && length >= head &&
        memcmp(around->head, plan->expected, head) == 0) {
        __atomic_store_n(plan->unanswered, 0, __ATOMIC_RELAXED);
        conclude(message, whole, flags, length - head, room, received);
        return 1;
    }
    size_t kept = head + room + parts[whole->msg_iovlen - 1].iov_len;
    if (kept > length) kept = length;
    const uint8_t *start = parts[0].iov_base;
    size_t known = kept < head ? kept : head;
    if (!is_in_head(start, known)) {
        known = kept < LONGEST_HEADER ? kept : LONGEST_HEADER;
        gather(parts, gathered, known);
        start = gathered;
    }
    struct udp_received datagram = {
        .slot = plan->slot, .start = start, .known = known, .length = length, .parts = parts,
        .parts_count = whole->msg_iovlen, .kept = kept, .source = &around->source,
        .source_length = whole->msg_name ? whole->msg_namelen : 0, .wants_source = message->msg_name != NULL,
        .flags = flags,
    };
    if (!socksify_decapsulate(&datagram, &decapsulated)) return 0;
    size_t payload = decapsulated.whole ? decapsulated.length : length - decapsulated.header_length;
    size_t fitting = payload < room ? payload : room;
    if (decapsulated.whole)
        scatter(decapsulated.whole, fitting, message->msg_iov);
    else
        move_within(parts, decapsulated.header_length, head, fitting);
    answer_name(message, &around->source, decapsulated.source_length);
    conclude(message, whole, flags, payload, room, received);
    return 1;
}

void drop(int fd, int flags) {
    char nothing;
    if (flags & MSG_PEEK) kernel_receive(fd, &nothing, 0, MSG_DONTWAIT | MSG_TRUNC);
}

int waits(int fd, int flags) {
    return !(flags & MSG_DONTWAIT) && !(kernel_status_flags(fd) & O_NONBLOCK);
}
