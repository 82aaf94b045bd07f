/* What the exported names ask of the Swift side, one function for each decision.
 *
 * Unless said otherwise they return SOCKSIFY_PASS where the call is none of ours and libc's own function is to run,
 * else what the call returns, failures as a negative error number; `errno` is set by the exported name. */
#pragma once

#include "CLibC.h"

enum { SOCKSIFY_PASS = 1 << 30 };

/* connect(2) */
int socksify_connect(int fd, const struct sockaddr *_Nullable address, socklen_t length);

/* getpeername(2): fills `room` bytes at `address` with the one that the program connected to. */
int socksify_getpeername(int fd, struct sockaddr *_Nonnull address, socklen_t room, socklen_t *_Nonnull length);

/* A send that names an address: MSG_FASTOPEN, or a datagram. 0: the socket has been connected, what is to be sent
 * goes out without address and without MSG_FASTOPEN. */
int socksify_send_to(int fd, const struct sockaddr *_Nonnull address, socklen_t length, int flags);

/* getaddrinfo(3). SOCKSIFY_PASS or an EAI code. */
int socksify_getaddrinfo(const char *_Nullable node, const char *_Nullable service,
                         const struct addrinfo *_Nullable hints, struct addrinfo *_Nullable *_Nonnull result);

/* getnameinfo(3). SOCKSIFY_PASS or an EAI code. */
int socksify_getnameinfo(const struct sockaddr *_Nonnull address, socklen_t length, char *_Nullable host,
                         socklen_t host_length, char *_Nullable service, socklen_t service_length, int flags);

/* Whether no question about a name may leave this machine. */
int socksify_names_belong_to_proxy(void);

/* gethostbyname2_r(3) and gethostbyaddr_r(3). 0 with the entry filled in; ERANGE when `buffer` is too small; ENOENT,
 * with `host_error` set, when there is none. */
int socksify_host_by_name(const char *_Nonnull name, int family, struct hostent *_Nonnull entry,
                          char *_Nonnull buffer, size_t buffer_length, int *_Nonnull host_error);
int socksify_host_by_address(const void *_Nonnull address, socklen_t length, int family,
                             struct hostent *_Nonnull entry, char *_Nonnull buffer, size_t buffer_length,
                             int *_Nonnull host_error);

/* Finds the configuration now, so that where it lies can be handed on to a program that is started with an
 * environment of its own. */
void socksify_prepare_inheritance(void);
