/* Encapsulated datagrams (RFC 1928 section 7): sending adds a header before the program's bytes, and receiving removes
 * it. The header has its own parts in a message; the program's bytes are not copied. */
#pragma once

#include "Interpose.h"

#include "MessageParts.h"

enum {
    LONGEST_HEADER = UDP_LONGEST_HEADER,
    /* The header with an IPv4 address. */
    SHORTEST_HEADER = 10,
    /* The most messages in one system call. */
    BATCH = 32,
    BATCH_PARTS = 256,
    /* The most attempts if the relay is gone. */
    ATTEMPTS = 3,
    LONGEST_DATAGRAM = SOCKSIFY_LONGEST_DATAGRAM,
};

/* Parts of a message: in the function's frame if they are few, else in the library's memory. */
struct part_list {
    struct iovec few[12];
    void *_Nullable memory;
};

/* Room for `count` parts, at most IOV_MAX + 1; without memory NULL, and ENOBUFS. */
static inline __attribute__((always_inline)) struct iovec *_Nullable take_parts(struct part_list *_Nonnull list,
                                                                                size_t count) {
    list->memory = NULL;
    if (count <= sizeof list->few / sizeof *list->few) return list->few;
    list->memory = library_memory_take();
    if (!list->memory) errno = ENOBUFS;
    return list->memory;
}

static inline void give_back_parts(struct part_list *_Nonnull list) {
    if (list->memory) library_memory_give_back(list->memory);
}

/* ----- Receiving ----- */

static inline int prepare_to_receive(int fd, struct udp_receive_plan *_Nonnull plan) {
    return socksify_prepare_to_receive_quickly(fd, plan) ? 0 : socksify_prepare_to_receive(fd, plan);
}

/* Room around the program's buffer: for the header before it, and after it for the payload that a header longer than
 * expected displaces. */
struct room {
    uint8_t head[LONGEST_HEADER];
    uint8_t tail[LONGEST_HEADER - SHORTEST_HEADER];
    struct sockaddr_storage source;
};

/* Makes `whole` a message with that room; `parts` has room for two more than the message has. */
void make_room(struct msghdr *_Nonnull whole, const struct msghdr *_Nonnull message, struct iovec *_Nonnull parts,
               struct room *_Nonnull room, const struct udp_receive_plan *_Nonnull plan);

/* Decapsulates a received datagram. `received`: in, the length of the whole datagram; out, the result of the call.
 * Returns 0 if the program must not see the datagram. */
int decapsulate(const struct udp_receive_plan *_Nonnull plan, struct msghdr *_Nonnull message,
                struct msghdr *_Nonnull whole, struct room *_Nonnull around, int flags, ssize_t *_Nonnull received);

/* Removes a peeked datagram that the program must not see. */
void drop(int fd, int flags);

/* Whether a call that receives waits. */
int waits(int fd, int flags);
