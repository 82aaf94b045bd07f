/* The Swift functions that the hooks call, one for each decision.
 *
 * Unless said otherwise they return SOCKSIFY_PASS if the hook must call libc's function, else the result of the call; a
 * failure is a negative error number, and the hook sets `errno`. */
#pragma once

#include <limits.h>

#include "CPreload.h"
#include "CPrograms.h"

enum { SOCKSIFY_PASS = 1 << 30 };

/* connect(2) */
int socksify_connect(int fd, const struct sockaddr *_Nullable address, socklen_t length);

/* Prepares what connections and datagrams need, as far as possible; reports no failure. */
void socksify_prepare(void);

/* socket(2), except for the most common kinds. */
int socksify_socket(int domain, int type, int protocol);

/* listen(2) */
int socksify_listen(int fd);

/* getpeername(2): in, the kernel's answer in `address` and `length`; out, the destination of the program, in `room`
 * bytes at `address`. */
int socksify_getpeername(int fd, struct sockaddr *_Nonnull address, socklen_t room, socklen_t *_Nonnull length);

/* getsockname(2), if descriptor_may_be_renamed(): fills `room` bytes at `address` with the socket's own address as the
 * program must see it. */
int socksify_getsockname(int fd, struct sockaddr *_Nonnull address, socklen_t room, socklen_t *_Nonnull length);

/* The functions below are called only if descriptor_may_be_substitute(). */

/* getsockopt(2) and setsockopt(2) */
int socksify_getsockopt(int fd, int level, int option, void *_Nullable value, socklen_t *_Nullable length);
int socksify_setsockopt(int fd, int level, int option, const void *_Nullable value, socklen_t length);

/* Routes a message with an address (sendto(2)), or on a socket of which descriptor_may_be_relayed(). 0: send the
 * datagram with `encapsulation`; else SOCKSIFY_PASS or one of the values below. */
int socksify_send(int fd, const struct msghdr *_Nonnull message, int flags,
                  struct udp_encapsulation *_Nonnull encapsulation);
enum {
    /* The socket was connected (MSG_FASTOPEN): send without address and without MSG_FASTOPEN. */
    SOCKSIFY_UNADDRESSED = 1 << 29,
    /* The datagram was sent or queued: do not call libc. */
    SOCKSIFY_TAKEN = 1 << 28,
    /* Send it unchanged, by the route in `encapsulation`. */
    SOCKSIFY_BY_WAY = 1 << 27,
};

/* setsockopt(2) with a UDP option that lets the kernel split or join datagrams: 0 if the socket must not have it. */
int socksify_allows_offload(int fd);

/* A socket that is not relayed has received a datagram from this address. */
void socksify_received_from(int fd, const struct sockaddr *_Nonnull address, socklen_t length);

/* The functions below are called only if descriptor_may_be_relayed(). */

/* Whether the socket is relayed. */
int socksify_is_relayed(int fd);
/* Before a datagram is received. 0, SOCKSIFY_PASS, or an error. */
int socksify_prepare_to_receive(int fd, struct udp_receive_plan *_Nonnull plan);
/* The same for the usual case, without system calls: 1 if done; 0 if socksify_prepare_to_receive() must be called. */
int socksify_prepare_to_receive_quickly(int fd, struct udp_receive_plan *_Nonnull plan);
/* Decapsulates a datagram. 0 if the program must not see it. */
int socksify_decapsulate(const struct udp_received *_Nonnull datagram, struct udp_decapsulated *_Nonnull decapsulated);
/* The kernel reports that the socket's peer refuses datagrams (ECONNREFUSED). 1 if the program must get the error. */
int socksify_is_refused(int fd);
/* SO_RCVTIMEO in milliseconds; -1: unlimited. */
int socksify_receive_timeout(int fd);
/* The program may have inherited sockets: checks all descriptors. */
void socksify_adopt_sockets(void);
/* A descriptor was received from another process. */
void socksify_received_descriptor(int fd);

/* The functions below are called only for what descriptor_may_be_encapsulated(). They wait for nothing, and return a
 * count of bytes, a negative error number, or SOCKSIFY_STREAM_PASS. */

static const long SOCKSIFY_STREAM_PASS = LONG_MIN;
/* Reads behind the first `skipped` bytes of the parts; 0 at the end of the stream. */
long socksify_stream_receive(int fd, const struct iovec *_Nullable parts, long count, long skipped, int flags);
/* Writes what lies behind the first `skipped` bytes of the parts. `is_unsent`: whether the next call is to be
 * socksify_stream_flush(), which sends the rest of a message. */
long socksify_stream_send(int fd, const struct iovec *_Nullable parts, long count, long skipped,
                          int *_Nonnull is_unsent);
long socksify_stream_flush(int fd);
/* How many bytes can be read at once. */
long socksify_stream_unread(int fd);

/* The program ends: sends the datagrams that wait for their association. */
void socksify_settle(void);
/* The process ends: removes what it would leave behind. */
void socksify_end(void);

/* Copies the memory that the process shares with others. Returns a descriptor of the copy; negative on failure. */
int socksify_copy_shared_memory(void);
/* From now on the process uses that copy instead of the shared memory. */
void socksify_leave_shared_memory(int copy);

/* The functions below are called only while internal_any() or unattended_any(). */

/* Fills in the internal connections to wait for beside the program's descriptors, as far as there is room. */
int socksify_internal_connections(struct pollfd *_Nonnull descriptors, int room);
/* The same for the program's connections after a non-blocking connect(2); they take turns if there is not room for all.
 * `besides`: an epoll whose watched connections are omitted; or none, or all that any known epoll watches. */
enum { SOCKSIFY_BESIDES_NONE = -1, SOCKSIFY_BESIDES_ALL = -2 };
int socksify_unattended(struct pollfd *_Nonnull descriptors, int room, int besides);
/* Before a wait on an epoll: adds the internal connections to it. Milliseconds after which those that it cannot watch
 * must be checked; -1: none. */
int socksify_watch_internal(int epoll);

/* The functions below are called only if descriptor_may_be_pending(), or while any connection is pending. */

enum { SOCKSIFY_SENDING = 1, SOCKSIFY_NONBLOCKING = 2 };
/* Before a call that reads or writes; `flags` say which, and whether the call is non-blocking. SOCKSIFY_PASS if libc's
 * function may run. */
int socksify_prepare_io(int fd, unsigned int flags);

/* Before a descriptor is sent to another process (unix(7), SCM_RIGHTS). SOCKSIFY_PASS if it may be sent. */
int socksify_prepare_to_send_descriptor(int fd);

/* Before a program is started that inherits descriptors. `takes_place`: it replaces this program (execve(2)). */
void socksify_prepare_to_hand_on(int takes_place);

/* No program has taken the place of this one after all. */
void socksify_was_not_replaced(void);

/* SO_ERROR. SOCKSIFY_PASS, or the error; 0: no error. */
int socksify_take_error(int fd);

/* Whether a handshake is pending, so that the program has nothing to read yet. */
int socksify_is_pending(int fd);

/* Restores the program's TCP_USER_TIMEOUT, if the library's is set instead. */
void socksify_put_user_timeout_back(int fd);

/* The program's value of an option in `LentOptions`. SOCKSIFY_PASS if the kernel has that value. */
int socksify_lent_option(int fd, int level, int option);
/* setsockopt(2) of such an option */
int socksify_set_lent_option(int fd, int level, int option, const void *_Nullable value, socklen_t length);

/* shutdown(2), also if descriptor_may_be_relayed() */
int socksify_shutdown(int fd, int how);
/* The kernel has refused shutdown(2), because the socket is not connected (ENOTCONN). */
void socksify_was_shut(int fd, int how);

/* The descriptor is about to be closed. */
void socksify_end_descriptor(int fd);

/* Whether the descriptor belongs to the library, for an internal connection or an association. */
int socksify_is_own_descriptor(int fd);
/* The program uses the number of such a descriptor for another file: moves the library's descriptor to another number,
 * if one is free. */
void socksify_move_own_descriptor(int fd);

/* The events to poll a pending socket for; 0 if it is not pending. */
short socksify_poll_interest(int fd);
/* Advances a socket for which poll(2) reported `events`. 0 once it is no longer pending. */
int socksify_poll_advance(int fd, short events);

/* Whether an event with this data is the library's; advances its socket then. */
int socksify_take_event(uint64_t data, uint32_t events);
/* Ends the handshakes whose time limit has passed. Milliseconds until the next limit; -1: none. */
long socksify_inspect_handshakes(void);
/* Lock and unlock a word that the threads of the process share, around a look at a socket. */
void socksify_lock(uint64_t *_Nonnull word);
void socksify_unlock(uint64_t *_Nonnull word);
/* Before a wait on an epoll: finds registrations that were not seen. */
void socksify_audit_epoll(int epoll);
/* The same while datagrams are relayed, for an epoll without DESCRIPTOR_NOTED_EPOLL. */
void socksify_note_epoll(int epoll);
/* epoll_ctl(2) */
int socksify_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data);
/* The program registered a socket while it became pending. */
void socksify_epoll_adopt(int epoll, int fd, uint32_t events, uint64_t data);

/* getaddrinfo(3). SOCKSIFY_PASS, an EAI code, or a positive error number for EAI_SYSTEM. */
int socksify_getaddrinfo(const char *_Nullable node, const char *_Nullable service,
                         const struct addrinfo *_Nullable hints, struct addrinfo *_Nullable *_Nonnull result);

/* getnameinfo(3). SOCKSIFY_PASS or an EAI code. */
int socksify_getnameinfo(const struct sockaddr *_Nonnull address, socklen_t length, char *_Nullable host,
                         socklen_t host_length, char *_Nullable service, socklen_t service_length, int flags);

/* Whether the proxy resolves names, so that no DNS question may leave this machine. */
int socksify_names_belong_to_proxy(void);

/* Whether searches also try the domains of resolv.conf(5). Called only if names belong to the proxy. */
int socksify_searches_domains(void);

/* Answers a DNS query as a server would, in at most `length` bytes of `answer`. Returns the length of the whole answer;
 * negative if there is none. Called only if names belong to the proxy. */
int socksify_answer_question(const unsigned char *_Nonnull question, size_t question_length,
                             unsigned char *_Nonnull answer, size_t length);

/* gethostbyname2_r(3) and gethostbyaddr_r(3). 0 with the entry filled in; ERANGE if `buffer` is too small; ENOENT, with
 * `host_error` set, if there is none. */
int socksify_host_by_name(const char *_Nonnull name, int family, struct hostent *_Nonnull entry,
                          char *_Nonnull buffer, size_t buffer_length, int *_Nonnull host_error);
int socksify_host_by_address(const void *_Nonnull address, socklen_t length, int family,
                             struct hostent *_Nonnull entry, char *_Nonnull buffer, size_t buffer_length,
                             int *_Nonnull host_error);

/* Before a program is started that does not load the library, or may not (enum program_reach). `interpreter`: the
 * interpreter of a script, else empty. SOCKSIFY_PASS: start it unchanged; 0: start it without network. */
int socksify_start(int reach, const char *_Nonnull path, const char *_Nonnull interpreter);

/* Finds the configuration file now, so that a program with an environment of its own inherits the path. */
void socksify_prepare_inheritance(void);
