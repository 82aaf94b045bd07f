/* Streams whose bytes are encapsulated on their way to the proxy (RFC 1961), for the exported names that read and
 * write.
 *
 * Each function returns 0 where the descriptor is no such stream, and libc's own function is to run; else what the call
 * returns is in `result`, and `errno` is set. */
#pragma once

#include "Interpose.h"

#include <sys/uio.h>

int stream_receive(int fd, const struct iovec *parts, size_t count, int flags, ssize_t *result);
int stream_send(int fd, const struct iovec *parts, size_t count, int flags, ssize_t *result);
/* sendfile(2) */
int stream_send_file(int fd, int from, off_t *offset, size_t count, ssize_t *result);
/* ioctl(FIONREAD) */
int stream_unread(int fd, int *unread);
