/* The parts of a message (sendmsg(2), msg_iov). Those of a program must be checked by fault_of() first. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* The kernel's error for too many parts, an unreadable list, or a negative length (recvmsg(2)); 0 if there is none. One
 * more part must fit. */
int fault_of(const struct iovec *_Nullable parts, size_t count);

/* The total size of the parts. */
size_t size_of(const struct iovec *_Nullable parts, size_t count);

/* Copies their first `length` bytes from them, or to them. */
void gather(const struct iovec *_Nonnull parts, uint8_t *_Nonnull bytes, size_t length);
void scatter(const uint8_t *_Nonnull bytes, size_t length, const struct iovec *_Nonnull parts);

/* Moves `length` bytes within them, from an offset to another. */
void move_within(const struct iovec *_Nonnull parts, size_t from, size_t to, size_t length);
