/* Encapsulated datagrams: behind a header (RFC 1928 section 7) that goes out before the program's own bytes, and is
 * taken off what comes in. The header has parts of its own in a message; the program's bytes are not copied. */
#pragma once

#include "Interpose.h"

#include "MessageParts.h"

enum {
    LONGEST_HEADER = UDP_LONGEST_HEADER,
    /* With an IPv4 address. */
    SHORTEST_HEADER = 10,
    /* Messages that go through the kernel together. */
    BATCH = 32,
    BATCH_PARTS = 256,
    /* What is tried again when the relay turns out to be gone. */
    ATTEMPTS = 3,
    LONGEST_DATAGRAM = SOCKSIFY_LONGEST_DATAGRAM,
};

/* Parts of a message: in the function's own frame where they are few, else in the library's memory. */
struct part_list {
    struct iovec few[12];
    void *_Nullable memory;
};

/* Room for `count` parts, at most IOV_MAX + 1; NULL, and ENOBUFS, without memory. */
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

/* Room around the program's own: for the header before it, and behind it for as much as a header can be longer than it
 * was expected to be. */
struct room {
    uint8_t head[LONGEST_HEADER];
    uint8_t tail[LONGEST_HEADER - SHORTEST_HEADER];
    struct sockaddr_storage source;
};

/* Makes `whole` a message with that room; `parts` has room for two more than the message has. */
void make_room(struct msghdr *_Nonnull whole, const struct msghdr *_Nonnull message, struct iovec *_Nonnull parts,
               struct room *_Nonnull room, const struct udp_receive_plan *_Nonnull plan);

/* Decapsulates what was received. `received` is the length of the whole datagram, and becomes what the call returns.
 * Returns 0 if the program is not to see the datagram. */
int decapsulate(const struct udp_receive_plan *_Nonnull plan, struct msghdr *_Nonnull message,
                struct msghdr *_Nonnull whole, struct room *_Nonnull around, int flags, ssize_t *_Nonnull received);

/* Removes a datagram that was looked at and is not for the program. */
void drop(int fd, int flags);

/* Whether a call that receives waits. */
int waits(int fd, int flags);
