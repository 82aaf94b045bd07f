/* What the code that moves relayed datagrams and the code that decides on them tell each other. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    /* RSV, FRAG, ATYP, a name of 255 bytes with its length, DST.PORT (RFC 1928 section 7). */
    UDP_LONGEST_HEADER = 262,
    /* No datagram is longer, whatever it goes by (udp(7)). */
    SOCKSIFY_LONGEST_DATAGRAM = 65535,
    /* Of a message, so that one more fits in, for the header (sendmsg(2)). */
    SOCKSIFY_MOST_PARTS = UIO_MAXIOV - 1,
};

/* Which way a datagram takes: by that device and with that mark, where they are not 0. */
struct udp_way {
    int device;
    int mark;
    /* Whether it goes by IPv6. */
    int is_ipv6;
};

/* What a datagram is sent in. */
struct udp_encapsulation {
    /* Where to; length 0: to the kernel's own peer. */
    struct sockaddr_storage address;
    socklen_t address_length;
    unsigned header_length;
    uint8_t header[UDP_LONGEST_HEADER];
    /* Of one that goes without all this. */
    struct udp_way way;
};

static inline uint8_t *_Nonnull udp_encapsulation_header(struct udp_encapsulation *_Nonnull encapsulation) {
    return encapsulation->header;
}

/* The state of a relayed socket before a datagram is received. */
struct udp_receive_plan {
    /* Of its record. */
    int slot;
    /* Bytes of the header that is to be expected. */
    unsigned head;
    /* Whether the kernel lets nothing in but from where headers come from. */
    int is_connected;
    /* The header that a datagram of the program's peer has, where that is known: such a one is the program's. It lies
     * there as long as the socket does. */
    const uint8_t *_Nullable expected;
    /* Becomes 0 when something has come in. */
    uint32_t *_Nonnull unanswered;
    /* The time of the call (descriptor_tick()). */
    uint32_t tick;
};

/* A datagram that came in. */
struct udp_received {
    /* The slot of the socket's record. */
    int slot;
    /* Its first bytes, at least the header if it has one; `known` is how many. */
    const uint8_t *_Nonnull start;
    size_t known;
    /* Of the whole datagram; `kept` bytes of it lie in the parts. */
    size_t length;
    const struct iovec *_Nonnull parts;
    size_t parts_count;
    size_t kept;
    /* In: the sender, length 0 if the kernel was not asked. Out: the address to show to the program. */
    struct sockaddr_storage *_Nonnull source;
    socklen_t source_length;
    /* Whether that is asked for. */
    int wants_source;
    /* Of the call (recv(2)). */
    int flags;
};

/* The same, decapsulated. */
struct udp_decapsulated {
    /* What it was put together from fragments, which lies there until the next call on the socket; NULL when it lies in
     * the parts, behind a header of that length. */
    const uint8_t *_Nullable whole;
    size_t length;
    unsigned header_length;
    /* Of what now stands in `source`. */
    socklen_t source_length;
};
