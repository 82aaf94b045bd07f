/* Datagrams that are carried: behind a header (RFC 1928 section 7) that goes out before the program's own bytes, and is
 * taken off what comes in. The header has parts of its own in a message; the program's bytes are not copied. */
#include "Datagrams.h"

#include <limits.h>
#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/uio.h>

enum {
    /* RSV, FRAG, ATYP, a name of 255 bytes with its length, DST.PORT. */
    LONGEST_HEADER = SOCKSIFY_LONGEST_HEADER,
    /* With an IPv4 address. */
    SHORTEST_HEADER = 10,
    /* Messages that go through the kernel together. */
    BATCH = 32,
    BATCH_PARTS = 256,
    /* What is tried again when the relay turns out to be gone. */
    ATTEMPTS = 3,
    /* No datagram is longer, whatever it goes by (udp(7)). */
    LONGEST_DATAGRAM = 65535,
};

/* As much of a part as the kernel takes in one call is enough to know of it. */
static size_t size_of(const struct iovec *parts, size_t count) {
    size_t size = 0;
    for (size_t index = 0; index < count; index++) {
        size_t length = parts[index].iov_len;
        size += length < INT_MAX ? length : INT_MAX;
    }
    return size;
}

/* What the kernel says of more parts, of parts that nobody can read, of lengths below 0, and of more than `most` bytes
 * (sendmsg(2)); 0 when there is nothing to say. One more part has to fit in. */
static int fault(const struct iovec *parts, size_t count, size_t most) {
    if (count == 0) return 0;
    if (count >= IOV_MAX) return EMSGSIZE;
    if ((uintptr_t)parts < 4096) return EFAULT;
    for (size_t index = 0; index < count; index++)
        if (parts[index].iov_len > SSIZE_MAX) return EINVAL;
    return size_of(parts, count) > most ? EMSGSIZE : 0;
}

/* Parts of a message: in the function's own frame where they are few, else in the library's memory. */
struct part_list {
    struct iovec few[12];
    void *memory;
};

/* Room for so many, of which there are at most IOV_MAX + 1; NULL, and ENOBUFS, when there is none. */
static inline __attribute__((always_inline)) struct iovec *take_parts(struct part_list *list, size_t count) {
    list->memory = NULL;
    if (count <= sizeof list->few / sizeof *list->few) return list->few;
    list->memory = library_memory_take();
    if (!list->memory) errno = ENOBUFS;
    return list->memory;
}

static void give_back_parts(struct part_list *list) {
    if (list->memory) library_memory_give_back(list->memory);
}

/* ----- Sending ----- */

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
    int error = fault(message->msg_iov, message->msg_iovlen, LONGEST_DATAGRAM);
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
    if (!has_room(batch, message) || fault(message->msg_iov, message->msg_iovlen, LONGEST_DATAGRAM)) return APART;
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

/* ----- Receiving ----- */

static int prepare_to_receive(int fd, struct socksify_reception *reception) {
    return socksify_prepare_known_to_receive(fd, reception) ? 0 : socksify_prepare_to_receive(fd, reception);
}

/* Room around the program's own: for the header before it, and behind it for as much as a header can be longer than it
 * was expected to be. */
struct room {
    uint8_t head[LONGEST_HEADER];
    uint8_t tail[LONGEST_HEADER - SHORTEST_HEADER];
    struct sockaddr_storage source;
};

/* Makes `whole` a message with that room; `parts` has room for two more than the message has. */
static void make_room(struct msghdr *whole, const struct msghdr *message, struct iovec *parts, struct room *room,
                      const struct socksify_reception *reception) {
    parts[0] = (struct iovec){room->head, reception->head};
    for (size_t index = 0; index < message->msg_iovlen; index++) {
        parts[index + 1] = message->msg_iov[index];
        /* Of a part alone the kernel overlooks that it ends beyond the process' memory, of one among others not. */
        if (parts[index + 1].iov_len > LONGEST_DATAGRAM) parts[index + 1].iov_len = LONGEST_DATAGRAM;
    }
    parts[message->msg_iovlen + 1] = (struct iovec){room->tail, sizeof room->tail};
    *whole = *message;
    /* Of a connected socket the source is known. */
    whole->msg_name = reception->is_connected ? NULL : &room->source;
    whole->msg_namelen = reception->is_connected ? 0 : sizeof room->source;
    whole->msg_iov = parts;
    whole->msg_iovlen += 2;
}

/* The part that the byte at `offset` lies in; the offset becomes that within the part. */
static const struct iovec *part_at(const struct iovec *parts, size_t *offset) {
    while (*offset >= parts->iov_len) *offset -= parts++->iov_len;
    return parts;
}

/* Copies the first `length` bytes that lie in the parts. */
static size_t gather(const struct iovec *parts, uint8_t *bytes, size_t length) {
    size_t copied = 0;
    for (; copied < length; parts++) {
        size_t run = parts->iov_len < length - copied ? parts->iov_len : length - copied;
        if (run) memcpy(bytes + copied, parts->iov_base, run);
        copied += run;
    }
    return copied;
}

/* Moves `length` bytes within the parts, from an offset to another. */
static void move(const struct iovec *parts, size_t from, size_t to, size_t length) {
    for (size_t moved = 0; from != to && moved < length;) {
        /* From the front when it goes to the front, else from the back, as memmove does. */
        size_t source_offset, target_offset, run;
        const struct iovec *source, *target;
        if (from > to) {
            source_offset = from + moved, target_offset = to + moved;
            source = part_at(parts, &source_offset), target = part_at(parts, &target_offset);
            run = source->iov_len - source_offset;
            if (run > target->iov_len - target_offset) run = target->iov_len - target_offset;
            if (run > length - moved) run = length - moved;
        } else {
            source_offset = from + length - moved - 1, target_offset = to + length - moved - 1;
            source = part_at(parts, &source_offset), target = part_at(parts, &target_offset);
            run = source_offset < target_offset ? source_offset + 1 : target_offset + 1;
            if (run > length - moved) run = length - moved;
            source_offset -= run - 1, target_offset -= run - 1;
        }
        memmove((uint8_t *)target->iov_base + target_offset, (uint8_t *)source->iov_base + source_offset, run);
        moved += run;
    }
}

static void copy_to_parts(const uint8_t *bytes, size_t length, const struct iovec *parts) {
    for (size_t copied = 0; copied < length; parts++) {
        size_t run = parts->iov_len < length - copied ? parts->iov_len : length - copied;
        if (run) memcpy(parts->iov_base, bytes + copied, run);
        copied += run;
    }
}

static void answer_name(struct msghdr *message, const struct sockaddr_storage *source, socklen_t length) {
    if (!message->msg_name) return;
    memcpy(message->msg_name, source, length < message->msg_namelen ? length : message->msg_namelen);
    message->msg_namelen = length;
}

/* Whether the header lies in the part that is for it, as mostly it does. */
static int is_in_head(const uint8_t *head, size_t length) {
    /* ATYP: an IPv4 address, or an IPv6 address. */
    return (length >= 10 && head[3] == 1) || (length >= 22 && head[3] == 4);
}

/* What the call says of a datagram of the program's. */
static void conclude(struct msghdr *message, const struct msghdr *whole, int flags, size_t payload, size_t room,
                     ssize_t *received) {
    message->msg_controllen = whole->msg_controllen;
    message->msg_flags = (whole->msg_flags & ~MSG_TRUNC) | (payload > room ? MSG_TRUNC : 0);
    *received = (ssize_t)(flags & MSG_TRUNC || payload < room ? payload : room);
}

/* Takes what was received out of its envelope. `received` is the length of the whole datagram, and becomes what the
 * call returns. Returns 0 when the datagram is none of the program's. */
static int take_out(const struct socksify_reception *reception, struct msghdr *message, struct msghdr *whole,
                    struct room *around, int flags, ssize_t *received) {
    uint8_t gathered[LONGEST_HEADER];
    struct socksify_opened opened;
    const struct iovec *parts = whole->msg_iov;
    size_t head = parts[0].iov_len, length = (size_t)*received;
    size_t room = size_of(message->msg_iov, message->msg_iovlen);
    if (reception->expected && !message->msg_name && length >= head &&
        memcmp(around->head, reception->expected, head) == 0) {
        __atomic_store_n(reception->unanswered, 0, __ATOMIC_RELAXED);
        conclude(message, whole, flags, length - head, room, received);
        return 1;
    }
    size_t kept = head + room + parts[whole->msg_iovlen - 1].iov_len;
    if (kept > length) kept = length;
    const uint8_t *start = parts[0].iov_base;
    size_t known = kept < head ? kept : head;
    if (!is_in_head(start, known)) {
        known = gather(parts, gathered, kept < LONGEST_HEADER ? kept : LONGEST_HEADER);
        start = gathered;
    }
    struct socksify_arrival arrival = {
        .place = reception->place, .start = start, .known = known, .length = length, .parts = parts, .kept = kept,
        .source = &around->source, .source_length = whole->msg_name ? whole->msg_namelen : 0,
        .wants_source = message->msg_name != NULL, .flags = flags,
    };
    if (!socksify_unwrap(&arrival, &opened)) return 0;
    size_t payload = opened.whole ? opened.length : length - opened.header_length;
    size_t fitting = payload < room ? payload : room;
    if (opened.whole)
        copy_to_parts(opened.whole, fitting, message->msg_iov);
    else
        move(parts, opened.header_length, head, fitting);
    answer_name(message, &around->source, opened.source_length);
    conclude(message, whole, flags, payload, room, received);
    return 1;
}

/* Takes a datagram away that was looked at and is none of the program's. */
static void drop(int fd, int flags) {
    char nothing;
    if (flags & MSG_PEEK) REAL(recv)(fd, &nothing, 0, MSG_DONTWAIT | MSG_TRUNC);
}

static int waits(int fd, int flags) {
    return !(flags & MSG_DONTWAIT) && !(kernel_status_flags(fd) & O_NONBLOCK);
}

/* Milliseconds that are left of SO_RCVTIMEO in a call that began at that tick; -1: it is not limited. */
static int time_left(int fd, uint32_t began) {
    int limit = socksify_receive_timeout(fd);
    if (limit < 0) return -1;
    int64_t ticks = (uint32_t)(coarse_tick() - began);
    /* The first may have been nearly over. */
    int64_t left = ticks > 0 ? limit - (ticks - 1) * 1000 / 256 : limit;
    return left > 0 ? (int)left : 0;
}

/* Before a call that waits: what it waits for may depend on the library's errands, which go on meanwhile; and a call
 * that has dropped something would have all of its time from the kernel once more. Returns 0 when the call is over. */
static int wait_beside_errands(int fd, int flags, uint32_t began, int has_dropped) {
    while ((any_beside() || has_dropped) && waits(fd, flags)) {
        struct pollfd descriptor = {fd, POLLIN, 0};
        int ready = poll(&descriptor, 1, time_left(fd, began));
        if (ready > 0) return 1;
        if (ready == 0) {
            errno = EAGAIN;
            return 0;
        }
        if (errno != EINTR || some_handler_interrupts()) return 0;
    }
    return 1;
}

/* The error queue has what was sent, in its envelope. */
static int receive_error(int fd, struct socksify_reception reception, struct msghdr *message, struct iovec *parts,
                         int flags, ssize_t *result) {
    struct msghdr whole;
    struct room room;
    reception.expected = NULL;
    reception.is_connected = 0;
    make_room(&whole, message, parts, &room, &reception);
    *result = REAL(recvmsg)(fd, &whole, flags | MSG_TRUNC);
    if (*result < 0) return 1;
    if (take_out(&reception, message, &whole, &room, flags, result)) {
        for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control; control = CMSG_NXTHDR(message, control)) {
            int is_error = (control->cmsg_level == SOL_IP && control->cmsg_type == IP_RECVERR) ||
                           (control->cmsg_level == SOL_IPV6 && control->cmsg_type == IPV6_RECVERR);
            if (!is_error || control->cmsg_len < CMSG_LEN(sizeof(struct sock_extended_err) + sizeof(sa_family_t)))
                continue;
            /* Who has sent the error knows the relay, not the destination: nobody that the program could know. */
            struct sock_extended_err *error = (struct sock_extended_err *)CMSG_DATA(control);
            memset(SO_EE_OFFENDER(error), 0, control->cmsg_len - CMSG_LEN(sizeof *error));
        }
        return 1;
    }
    /* A notification that has no datagram with it. */
    if (message->msg_name) message->msg_namelen = 0;
    message->msg_controllen = whole.msg_controllen;
    message->msg_flags = whole.msg_flags;
    *result = 0;
    return 1;
}

/* Receives one datagram; `parts` has room for two more than the message has. */
static int receive(int fd, struct msghdr *message, struct iovec *parts, int flags, ssize_t *result) {
    *result = -1;
    uint32_t began = 0;
    for (int attempt = 1, has_dropped = 0;;) {
        struct socksify_reception reception;
        int prepared = prepare_to_receive(fd, &reception);
        if (prepared == SOCKSIFY_PASS) return 0;
        if (prepared < 0) {
            returned(prepared);
            return 1;
        }
        if (flags & MSG_ERRQUEUE) return receive_error(fd, reception, message, parts, flags, result);
        if (!began) began = reception.tick;
        if (!wait_beside_errands(fd, flags, began, has_dropped)) return 1;
        struct msghdr whole;
        struct room room;
        make_room(&whole, message, parts, &room, &reception);
        *result = REAL(recvmsg)(fd, &whole, flags | MSG_TRUNC);
        if (*result >= 0) {
            if (take_out(&reception, message, &whole, &room, flags, result)) return 1;
            drop(fd, flags);
            *result = -1;
            has_dropped = 1;
        } else if (errno != ECONNREFUSED || attempt++ == ATTEMPTS || socksify_is_refused(fd)) {
            return 1;
        }
    }
}

int carried_receive(int fd, struct msghdr *message, int flags, ssize_t *result) {
    *result = -1;
    int error = fault(message->msg_iov, message->msg_iovlen, SIZE_MAX);
    if (error) {
        errno = error;
        return socksify_is_carried(fd);
    }
    struct part_list list;
    struct iovec *parts = take_parts(&list, message->msg_iovlen + 2);
    if (!parts) return 1;
    int is_carried = receive(fd, message, parts, flags, result);
    give_back_parts(&list);
    return is_carried;
}

int carried_late(int fd, struct msghdr *message, int flags, ssize_t *result) {
    struct socksify_reception reception;
    if (prepare_to_receive(fd, &reception) != 0) return 0;
    struct part_list list;
    struct iovec *parts = take_parts(&list, message->msg_iovlen + 2);
    if (!parts) return 0;
    struct msghdr whole;
    struct room room;
    reception.head = 0;
    reception.expected = NULL;
    make_room(&whole, message, parts, &room, &reception);
    parts[message->msg_iovlen + 1].iov_len = 0;
    whole.msg_name = message->msg_name;
    if (message->msg_name) {
        whole.msg_namelen = message->msg_namelen < sizeof room.source ? message->msg_namelen : sizeof room.source;
        memcpy(&room.source, message->msg_name, whole.msg_namelen);
    }
    int is_programs = take_out(&reception, message, &whole, &room, flags, result);
    give_back_parts(&list);
    return is_programs;
}

int carried_receive_bytes(int fd, void *bytes, size_t count, int flags, struct sockaddr *address, socklen_t *length,
                          ssize_t *result) {
    struct iovec part = {bytes, count}, parts[3];
    struct msghdr message = {address, address && length ? *length : 0, &part, 1, NULL, 0, 0};
    if (!receive(fd, &message, parts, flags, result)) return 0;
    if (*result >= 0 && address && length) *length = message.msg_namelen;
    return 1;
}

int carried_receive_parts(int fd, const struct iovec *parts, int count, ssize_t *result) {
    /* read(2) of nothing takes no datagram. */
    if (count < 0 || count > IOV_MAX || (uintptr_t)parts < 4096 || size_of(parts, (size_t)count) == 0) return 0;
    struct msghdr message = {NULL, 0, (void *)parts, (size_t)count, NULL, 0, 0};
    return carried_receive(fd, &message, 0, result);
}

/* Receives up to BATCH messages by one call of the kernel; returns how many of them are the program's, which then are
 * the first of `messages`. `is_full`: whether as many came as were asked for. */
static int receive_batch(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout,
                         const struct socksify_reception *reception, int *is_full) {
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
        make_room(&whole[asked].msg_hdr, message, &parts[parts_count], &rooms[asked], reception);
        parts_count += message->msg_iovlen + 2;
    }
    int received = REAL(recvmmsg)(fd, whole, asked, flags | MSG_TRUNC, timeout);
    *is_full = received == (int)asked;
    int kept = 0;
    for (int index = 0; index < received; index++) {
        struct msghdr *message = &messages[index].msg_hdr;
        ssize_t length = whole[index].msg_len;
        if (!take_out(reception, message, &whole[index].msg_hdr, &rooms[index], flags, &length)) {
            drop(fd, flags);
            continue;
        }
        messages[index].msg_len = (unsigned)length;
        /* What came before it and was none of the program's leaves a gap: the buffers change places. */
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

int carried_receive_several(int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout,
                            int *result) {
    unsigned done = 0;
    *result = -1;
    uint32_t began = 0;
    for (int attempt = 1, has_dropped = 0; done < count;) {
        struct socksify_reception reception;
        int prepared = prepare_to_receive(fd, &reception);
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
            if (!carried_receive(fd, first, flags, &one) || one < 0) break;
            messages[done++].msg_len = (unsigned)one;
            continue;
        }
        if (!began) began = reception.tick;
        if (!wait_beside_errands(fd, flags, began, has_dropped)) break;
        int is_full;
        int received = receive_batch(fd, messages + done, count - done, flags, timeout, &reception, &is_full);
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

/* ----- What has no place for a header, and how much there is ----- */

int carried_transfer(int fd, ssize_t *result) {
    if (!socksify_is_carried(fd)) return 0;
    errno = EINVAL;
    *result = -1;
    return 1;
}

enum { NOT_CARRIED = -2 };

/* Looks at the next datagram, and takes those away before it that are none of the program's. Returns its length; -1
 * when there is none, as `errno` says; or NOT_CARRIED. */
static ssize_t look_alone(int fd) {
    const int flags = MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT;
    void *memory = NULL;
    ssize_t length;
    for (int attempt = 1;;) {
        struct socksify_reception reception;
        int prepared = prepare_to_receive(fd, &reception);
        if (prepared != 0) {
            length = prepared == SOCKSIFY_PASS ? NOT_CARRIED : returned(prepared);
            break;
        }
        reception.head = LONGEST_HEADER;
        reception.expected = NULL;
        struct iovec part = {memory, memory ? LONGEST_DATAGRAM : 0}, parts[3];
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1}, whole;
        struct room room;
        make_room(&whole, &message, parts, &room, &reception);
        length = REAL(recvmsg)(fd, &whole, flags);
        if (length < 0) {
            if (errno == ECONNREFUSED && attempt++ < ATTEMPTS && !socksify_is_refused(fd)) continue;
            break;
        }
        /* FRAG: a fragment is to be seen whole, to be joined to others or to be dropped. */
        if (!memory && length >= SHORTEST_HEADER && room.head[2] != 0 && (memory = library_memory_take())) continue;
        if (take_out(&reception, &message, &whole, &room, flags, &length)) break;
        drop(fd, flags);
    }
    if (memory) library_memory_give_back(memory);
    return length;
}

/* Threads look one after the other: of two that have seen the same datagram, the second would take away the next one.
 * None ends while it looks: others may wait for what it was told of. */
static ssize_t look(int fd) {
    static uint64_t locks[64];
    uint64_t *lock = &locks[(unsigned)fd % 64];
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    socksify_lock(lock);
    ssize_t length = look_alone(fd);
    socksify_unlock(lock);
    pthread_setcancelstate(state, NULL);
    return length;
}

int carried_unread(int fd, int *unread) {
    ssize_t length = look(fd);
    *unread = length > 0 ? (int)length : 0;
    return length != NOT_CARRIED;
}

int carried_is_readable(int fd) {
    /* What was shut down has an end to be read (shutdown(2)). */
    return look(fd) != -1 || errno != EAGAIN || (!process_is_confined() && is_ready_now(fd, POLLRDHUP));
}

int carried_has_datagram(int fd) {
    return !waits(fd, 0) || carried_is_readable(fd);
}

/* ----- The program's end ----- */

__attribute__((destructor)) static void settle(void) {
    if (any_carried(in_flight_word()) || any_errands()) socksify_settle();
}
