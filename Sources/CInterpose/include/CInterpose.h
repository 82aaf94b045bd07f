/* What the exported names ask of the Swift side, one function for each decision.
 *
 * Unless said otherwise they return SOCKSIFY_PASS if the exported name is to call libc's own function, else the result
 * of the call, with failures as negative error numbers; the exported name sets `errno`. */
#pragma once

#include "CPreload.h"
#include "CPrograms.h"

enum { SOCKSIFY_PASS = 1 << 30 };

/* connect(2) */
int socksify_connect(int fd, const struct sockaddr *_Nullable address, socklen_t length);

/* Makes ready what connections and datagrams need, if nothing is in the way; says nothing of what is. */
void socksify_prepare(void);

/* socket(2), for any but the most common kinds. */
int socksify_socket(int domain, int type, int protocol);

/* listen(2) */
int socksify_listen(int fd);

/* getpeername(2): `address` and `length` are as the kernel has filled them; fills `room` bytes at `address` with the
 * one that the program connected to. */
int socksify_getpeername(int fd, struct sockaddr *_Nonnull address, socklen_t room, socklen_t *_Nonnull length);

/* getsockname(2), for what descriptor_may_be_renamed(): fills `room` bytes at `address` with what the program takes for
 * the socket's own address. */
int socksify_getsockname(int fd, struct sockaddr *_Nonnull address, socklen_t room, socklen_t *_Nonnull length);

/* The functions below are called only for what descriptor_may_be_substitute(). */

/* getsockopt(2) and setsockopt(2) */
int socksify_getsockopt(int fd, int level, int option, void *_Nullable value, socklen_t *_Nullable length);
int socksify_setsockopt(int fd, int level, int option, const void *_Nullable value, socklen_t length);

/* A message that names an address (sendto(2)), or goes by what descriptor_may_be_relayed(). SOCKSIFY_PASS; one of those
 * below; or 0: it is a datagram that goes in the encapsulation. */
int socksify_send(int fd, const struct msghdr *_Nonnull message, int flags,
                  struct udp_encapsulation *_Nonnull encapsulation);
enum {
    /* The socket has been connected (MSG_FASTOPEN): it goes without address and without MSG_FASTOPEN. */
    SOCKSIFY_UNADDRESSED = 1 << 29,
    /* The datagram was sent, or kept: libc has nothing to do with it. */
    SOCKSIFY_TAKEN = 1 << 28,
    /* It goes as it is, by the way that the encapsulation says. */
    SOCKSIFY_BY_WAY = 1 << 27,
};

/* setsockopt(2) with an option of UDP that lets the kernel cut or join datagrams: 0 when the socket has to do without
 * it. */
int socksify_allows_offload(int fd);

/* A datagram has come from there to a socket that is not relayed. */
void socksify_received_from(int fd, const struct sockaddr *_Nonnull address, socklen_t length);

/* The functions below are called only for what descriptor_may_be_relayed(). */

/* Whether it is. */
int socksify_is_relayed(int fd);
/* Before a datagram is received. 0, SOCKSIFY_PASS, or an error. */
int socksify_prepare_to_receive(int fd, struct udp_receive_plan *_Nonnull plan);
/* The same, as it mostly is: 1 when nothing has to be asked or done for it; else 0, and it is to be prepared so. */
int socksify_prepare_to_receive_quickly(int fd, struct udp_receive_plan *_Nonnull plan);
/* Decapsulates a datagram. 0 if the program is not to see it. */
int socksify_decapsulate(const struct udp_received *_Nonnull datagram, struct udp_decapsulated *_Nonnull decapsulated);
/* The kernel was told that nobody listens where it has the socket connected to. 1 when the program is to learn it. */
int socksify_is_refused(int fd);
/* SO_RCVTIMEO in milliseconds; -1: none. */
int socksify_receive_timeout(int fd);
/* Descriptors may have come with the program's start: looks at all of them. */
void socksify_adopt_sockets(void);
/* A descriptor came from another process. */
void socksify_received_descriptor(int fd);

/* The program ends. */
void socksify_settle(void);
/* The process ends: what it leaves behind is removed. */
void socksify_end(void);

/* A copy of all that the process shares with others, by a descriptor; negative when that cannot be had. */
int socksify_copy_shared_memory(void);
/* The process has that copy from now on in place of what it shared. */
void socksify_leave_shared_memory(int copy);

/* While internal_any(), or unattended_any(). */

/* Internal connections to wait for beside the program's own descriptors: fills in as many as there is room for. */
int socksify_internal_connections(struct pollfd *_Nonnull descriptors, int room);
/* The same for the program's connections that no call of connect(2) drives: as many of them, in turn, as there is room
 * for. `besides`: without those that this epoll watches, or without any that one is seen to watch. */
enum { SOCKSIFY_BESIDES_NONE = -1, SOCKSIFY_BESIDES_ALL = -2 };
int socksify_unattended(struct pollfd *_Nonnull descriptors, int room, int besides);
/* Before a wait on an epoll: has it tell of them. Milliseconds after which those that it does not tell of are to be
 * looked at; -1: there are none. */
int socksify_watch_internal(int epoll);

/* The functions below are called only for what descriptor_may_be_pending(), or while anything is. */

enum { SOCKSIFY_SENDING = 1, SOCKSIFY_NONBLOCKING = 2 };
/* Before a call that reads or writes; `flags` say which, and whether the call itself waits for nothing. SOCKSIFY_PASS
 * when it can go on. */
int socksify_prepare_io(int fd, unsigned int flags);

/* Before a descriptor is sent to another process (unix(7), SCM_RIGHTS). SOCKSIFY_PASS when it can be. */
int socksify_prepare_to_send_descriptor(int fd);

/* Before a program is started that has the descriptors which are not closed on exec. `takes_place`: in the place of
 * this one. */
void socksify_prepare_to_hand_on(int takes_place);

/* SO_ERROR. SOCKSIFY_PASS, or the error, 0 for none. */
int socksify_take_error(int fd);

/* Whether a handshake is under way, so that nothing of the program's can be read. */
int socksify_is_pending(int fd);

/* TCP_USER_TIMEOUT is to be what the program has set, if another stands in its place. */
void socksify_put_user_timeout_back(int fd);

/* An option of `LentOptions`, as the program has set it. SOCKSIFY_PASS where that is what the kernel has. */
int socksify_lent_option(int fd, int level, int option);
/* setsockopt(2) of such an option */
int socksify_set_lent_option(int fd, int level, int option, const void *_Nullable value, socklen_t length);

/* shutdown(2), also for what descriptor_may_be_relayed() */
int socksify_shutdown(int fd, int how);
/* The kernel has refused it, because the socket is not connected (ENOTCONN). */
void socksify_was_shut(int fd, int how);

/* The descriptor is about to be closed. */
void socksify_end_descriptor(int fd);

/* Whether the descriptor is the library's own, for an internal connection or an association. */
int socksify_is_own_descriptor(int fd);
/* The program takes the number of such a descriptor for another file: the library's own gets another number, where it
 * has one to give. */
void socksify_move_own_descriptor(int fd);

/* The events that a pending socket is to be polled for; 0 when it is none. */
short socksify_poll_interest(int fd);
/* Goes on with a socket whose poll gave `events`. 0 when it is pending no more. */
int socksify_poll_advance(int fd, short events);

/* Whether an event with this data is the library's, which has gone on with its socket then. */
int socksify_take_event(uint64_t data, uint32_t events);
/* Ends the handshakes whose time is over. Milliseconds until the next one's is; -1: none is limited. */
long socksify_inspect_handshakes(void);
/* Around a look at a socket, by a word that the threads of the process have in common. */
void socksify_lock(uint64_t *_Nonnull word);
void socksify_unlock(uint64_t *_Nonnull word);
/* Before a wait on an epoll. */
void socksify_audit_epoll(int epoll);
/* The same where datagrams are relayed, on one without DESCRIPTOR_NOTED_EPOLL. */
void socksify_note_epoll(int epoll);
/* epoll_ctl(2) */
int socksify_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data);
/* A registration was made while its socket became pending. */
void socksify_epoll_adopt(int epoll, int fd, uint32_t events, uint64_t data);

/* getaddrinfo(3). SOCKSIFY_PASS, an EAI code, or the error of EAI_SYSTEM, which is positive. */
int socksify_getaddrinfo(const char *_Nullable node, const char *_Nullable service,
                         const struct addrinfo *_Nullable hints, struct addrinfo *_Nullable *_Nonnull result);

/* getnameinfo(3). SOCKSIFY_PASS or an EAI code. */
int socksify_getnameinfo(const struct sockaddr *_Nonnull address, socklen_t length, char *_Nullable host,
                         socklen_t host_length, char *_Nullable service, socklen_t service_length, int flags);

/* Whether no question about a name may leave this machine. */
int socksify_names_belong_to_proxy(void);

/* Whether names that are searched for are looked up in the domains of resolv.conf(5) as well. Only where names belong
 * to the proxy. */
int socksify_searches_domains(void);

/* Answers a query of the DNS as a server would, in as many bytes of `answer` as there are. Returns the length of the
 * whole answer; negative when there is none. Only where names belong to the proxy. */
int socksify_answer_question(const unsigned char *_Nonnull question, size_t question_length,
                             unsigned char *_Nonnull answer, size_t length);

/* gethostbyname2_r(3) and gethostbyaddr_r(3). 0 with the entry filled in; ERANGE when `buffer` is too small; ENOENT,
 * with `host_error` set, when there is none. */
int socksify_host_by_name(const char *_Nonnull name, int family, struct hostent *_Nonnull entry,
                          char *_Nonnull buffer, size_t buffer_length, int *_Nonnull host_error);
int socksify_host_by_address(const void *_Nonnull address, socklen_t length, int family,
                             struct hostent *_Nonnull entry, char *_Nonnull buffer, size_t buffer_length,
                             int *_Nonnull host_error);

/* A program is about to be started of which enum program_reach says that the library is not loaded there, or may not
 * be. `interpreter` is what runs it if it is a script, else empty. SOCKSIFY_PASS: as it is; 0: without network. */
int socksify_start(int reach, const char *_Nonnull path, const char *_Nonnull interpreter);

/* Finds the configuration now, so that where it lies can be handed on to a program that is started with an
 * environment of its own. */
void socksify_prepare_inheritance(void);
