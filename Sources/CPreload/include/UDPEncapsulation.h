/* What the C code that moves relayed datagrams and the Swift code that routes them exchange. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    /* RSV, FRAG, ATYP, a name of 255 bytes with its length, DST.PORT (RFC 1928 section 7). */
    UDP_LONGEST_HEADER = 262,
    /* The length of the longest datagram (udp(7)). */
    SOCKSIFY_LONGEST_DATAGRAM = 65535,
    /* The most parts of a message; one more is left for the header (sendmsg(2)). */
    SOCKSIFY_MOST_PARTS = UIO_MAXIOV - 1,
};

/* The route of a datagram: SO_BINDTODEVICE and SO_MARK; 0: unset. */
struct udp_way {
    int device;
    int mark;
    /* Whether it is sent over IPv6. */
    int is_ipv6;
};

/* How a datagram is sent to the relay. */
struct udp_encapsulation {
    /* The destination; length 0: the kernel's peer of the socket. */
    struct sockaddr_storage address;
    socklen_t address_length;
    unsigned header_length;
    uint8_t header[UDP_LONGEST_HEADER];
    /* The route of a datagram that goes direct, without encapsulation. */
    struct udp_way way;
};

static inline uint8_t *_Nonnull udp_encapsulation_header(struct udp_encapsulation *_Nonnull encapsulation) {
    return encapsulation->header;
}

/* The state of a relayed socket before a datagram is received. */
struct udp_receive_plan {
    /* The slot of its record. */
    int slot;
    /* The expected length of the header. */
    unsigned head;
    /* Whether the kernel accepts datagrams only from the relay. */
    int is_connected;
    /* The header of datagrams from the program's peer; NULL if unknown. A datagram with it needs no further check.
     * Valid as long as the socket exists. */
    const uint8_t *_Nullable expected;
    /* Set to 0 when a datagram arrives. */
    uint32_t *_Nonnull unanswered;
    /* The time of the call (descriptor_tick()). */
    uint32_t tick;
};

/* A received datagram. */
struct udp_received {
    /* The slot of the socket's record. */
    int slot;
    /* Its first bytes, at least the header if it has one; `known` is how many. */
    const uint8_t *_Nonnull start;
    size_t known;
    /* The length of the whole datagram; the parts hold `kept` bytes of it. */
    size_t length;
    const struct iovec *_Nonnull parts;
    size_t parts_count;
    size_t kept;
    /* In: the sender, length 0 if the kernel was not asked. Out: the address to show to the program. */
    struct sockaddr_storage *_Nonnull source;
    socklen_t source_length;
    /* Whether the program asks for the sender. */
    int wants_source;
    /* The flags of the call (recv(2)). */
    int flags;
};

/* The datagram without its encapsulation. */
struct udp_decapsulated {
    /* The payload joined from fragments, valid until the next call on the socket; NULL if the payload lies in the
     * parts, after a header of `header_length` bytes. */
    const uint8_t *_Nullable whole;
    size_t length;
    unsigned header_length;
    /* The length of the address now in `source`. */
    socklen_t source_length;
};
