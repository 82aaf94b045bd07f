/* What a carried datagram has around it, between the code that moves datagrams and that which decides on them. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* RSV, FRAG, ATYP, a name of 255 bytes with its length, DST.PORT (RFC 1928 section 7). */
#define SOCKSIFY_LONGEST_HEADER 262

/* What a datagram is sent in. */
struct socksify_envelope {
    /* Where to; length 0: to the kernel's own peer. */
    struct sockaddr_storage address;
    socklen_t address_length;
    unsigned header_length;
    uint8_t header[SOCKSIFY_LONGEST_HEADER];
};

static inline uint8_t *_Nonnull envelope_header(struct socksify_envelope *_Nonnull envelope) {
    return envelope->header;
}

/* A datagram that came in. */
struct socksify_arrival {
    /* Its first bytes, as many as a header can have. */
    const uint8_t *_Nonnull start;
    size_t known;
    /* Of the whole datagram; of which so much was kept, in the parts. */
    size_t length;
    const struct iovec *_Nonnull parts;
    size_t kept;
    /* Where it came from; becomes where it seems to come from. */
    struct sockaddr_storage *_Nonnull source;
    socklen_t source_length;
    /* Of the call (recv(2)). */
    int flags;
};

/* The same, taken out of its envelope. */
struct socksify_opened {
    /* What it was put together from fragments, which lies there until the next call on the socket; NULL when it lies in
     * the parts, behind a header of that length. */
    const uint8_t *_Nullable whole;
    size_t length;
    unsigned header_length;
    /* Of what now stands in `source`. */
    socklen_t source_length;
};
