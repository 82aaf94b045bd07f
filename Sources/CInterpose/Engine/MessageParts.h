/* The parts that the bytes of a message lie in (sendmsg(2), msg_iov). Those of a program are to be asked for their
 * fault before anything else. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* What the kernel says of more than it takes, of a list that nobody can read, and of lengths below 0 (recvmsg(2)); 0
 * when there is nothing to say. One more part has to fit in. */
int fault_of(const struct iovec *_Nullable parts, size_t count);

/* How many bytes they have. */
size_t size_of(const struct iovec *_Nullable parts, size_t count);

/* Copies their first `length` bytes from them, or to them. */
void gather(const struct iovec *_Nonnull parts, uint8_t *_Nonnull bytes, size_t length);
void scatter(const uint8_t *_Nonnull bytes, size_t length, const struct iovec *_Nonnull parts);

/* Moves `length` bytes within them, from an offset to another. */
void move_within(const struct iovec *_Nonnull parts, size_t from, size_t to, size_t length);
