/* Shared by the files with hooks. */
#pragma once

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <string.h>

#include "CInterpose.h"

/* Converts a result of the Swift functions to libc's convention. */
static inline int returned(int result) {
    if (result >= 0) return result;
    errno = -result;
    return -1;
}

/* The family in an address; -1 if it is too short, or in the first page, which is never mapped (NULL, or a member of a
 * NULL structure). The kernel then answers with EFAULT or EINVAL. */
static inline int family_of(const struct sockaddr *address, socklen_t length) {
    return (uintptr_t)address >= 4096 && length >= sizeof address->sa_family ? address->sa_family : -1;
}

/* setuid(2), setreuid(2) and setresuid(2) by their numbers, which change the users of the calling thread alone. */
int change_thread_user(long number, uid_t first, uid_t second, uid_t third);

static inline int is_internet(const struct sockaddr *address, socklen_t length) {
    int family = family_of(address, length);
    return family == AF_INET || family == AF_INET6;
}

/* Before a call that may wait on `fd`: waits in its place, and advances the handshakes that no call of connect(2)
 * drives. `flags` as for socksify_prepare_io(). Returns 0 if the call is over, with `errno` set. */
int wait_beside_handshakes(int fd, unsigned flags);
static inline int may_wait(int fd, unsigned flags) {
    return !pending_any_beside() || flags & SOCKSIFY_NONBLOCKING || wait_beside_handshakes(fd, flags);
}

/* For calls that wait without a descriptor: advances the handshakes that no call of connect(2) drives. Returns 0 after
 * a signal whose handler interrupts calls. */
int go_on_for_a_moment(void);

/* Before a call that creates a child with a copy of the memory, and runs no handlers of pthread_atfork(3). */
void before_fork(void);
/* Before clone(2) or clone3(2) with these flags. */
void before_clone(uint64_t flags);

/* Before a call that installs a system call filter (seccomp(2)), and after it has succeeded. */
void before_filter(void);
void after_filter(void);

/* Whether memory of eight bytes or more can be read at both ends. If not, the kernel's call fails with EFAULT. Costs
 * one or two system calls, in rare cases only. */
static inline int is_readable(const void *start, size_t size) {
    const char *last = (const char *)start + size - 8;
    int is_one_page = ((uintptr_t)start ^ (uintptr_t)(last + 7)) < 4096;
    return kernel_can_read(start) && (is_one_page || kernel_can_read(last));
}

/* ----- The stack of the Swift functions, and the result of a call without one ----- */

#define socksify_connect(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_connect, __VA_ARGS__)
#define socksify_prepare() ON_LIBRARY_STACK_IF_THERE(socksify_prepare)
#define socksify_socket(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_socket, __VA_ARGS__)
#define socksify_listen(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_listen, __VA_ARGS__)
#define socksify_getpeername(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_getpeername, __VA_ARGS__)
#define socksify_getsockname(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_getsockname, __VA_ARGS__)
#define socksify_getsockopt(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_getsockopt, __VA_ARGS__)
#define socksify_setsockopt(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_setsockopt, __VA_ARGS__)
#define socksify_send(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_send, __VA_ARGS__)
#define socksify_allows_offload(...) ON_LIBRARY_STACK(0, socksify_allows_offload, __VA_ARGS__)
#define socksify_prepare_to_receive(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_prepare_to_receive, __VA_ARGS__)
#define socksify_is_refused(...) ON_LIBRARY_STACK_IF_THERE(socksify_is_refused, __VA_ARGS__)
#define socksify_stream_receive(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_stream_receive, __VA_ARGS__)
#define socksify_stream_send(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_stream_send, __VA_ARGS__)
#define socksify_stream_flush(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_stream_flush, __VA_ARGS__)
#define socksify_stream_unread(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_stream_unread, __VA_ARGS__)
#define socksify_received_from(...) ON_LIBRARY_STACK_IF_THERE(socksify_received_from, __VA_ARGS__)
#define socksify_decapsulate(...) ON_LIBRARY_STACK_IF_THERE(socksify_decapsulate, __VA_ARGS__)
#define socksify_adopt_sockets() ON_LIBRARY_STACK_IF_THERE(socksify_adopt_sockets)
#define socksify_received_descriptor(...) ON_LIBRARY_STACK_IF_THERE(socksify_received_descriptor, __VA_ARGS__)
#define socksify_settle() ON_LIBRARY_STACK_IF_THERE(socksify_settle)
#define socksify_end() ON_LIBRARY_STACK_IF_THERE(socksify_end)
#define socksify_copy_shared_memory() ON_LIBRARY_STACK(-1, socksify_copy_shared_memory)
#define socksify_leave_shared_memory(...) ON_LIBRARY_STACK_IF_THERE(socksify_leave_shared_memory, __VA_ARGS__)
#define socksify_internal_connections(...) ON_LIBRARY_STACK_IF_THERE(socksify_internal_connections, __VA_ARGS__)
#define socksify_unattended(...) ON_LIBRARY_STACK_IF_THERE(socksify_unattended, __VA_ARGS__)
#define socksify_watch_internal(...) ON_LIBRARY_STACK_IF_THERE(socksify_watch_internal, __VA_ARGS__)
#define socksify_prepare_io(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_prepare_io, __VA_ARGS__)
#define socksify_prepare_to_send_descriptor(...) \
    ON_LIBRARY_STACK(-ENOBUFS, socksify_prepare_to_send_descriptor, __VA_ARGS__)
#define socksify_prepare_to_hand_on(...) ON_LIBRARY_STACK_IF_THERE(socksify_prepare_to_hand_on, __VA_ARGS__)
#define socksify_was_not_replaced() ON_LIBRARY_STACK_IF_THERE(socksify_was_not_replaced)
#define socksify_take_error(...) ON_LIBRARY_STACK(ENOBUFS, socksify_take_error, __VA_ARGS__)
#define socksify_is_pending(...) ON_LIBRARY_STACK_IF_THERE(socksify_is_pending, __VA_ARGS__)
#define socksify_put_user_timeout_back(...) ON_LIBRARY_STACK_IF_THERE(socksify_put_user_timeout_back, __VA_ARGS__)
#define socksify_lent_option(...) ON_LIBRARY_STACK(SOCKSIFY_PASS, socksify_lent_option, __VA_ARGS__)
#define socksify_set_lent_option(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_set_lent_option, __VA_ARGS__)
#define socksify_shutdown(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_shutdown, __VA_ARGS__)
#define socksify_was_shut(...) ON_LIBRARY_STACK_IF_THERE(socksify_was_shut, __VA_ARGS__)
#define socksify_end_descriptor(...) ON_LIBRARY_STACK_IF_THERE(socksify_end_descriptor, __VA_ARGS__)
#define socksify_is_own_descriptor(...) ON_LIBRARY_STACK_IF_THERE(socksify_is_own_descriptor, __VA_ARGS__)
#define socksify_poll_interest(...) ON_LIBRARY_STACK_IF_THERE(socksify_poll_interest, __VA_ARGS__)
#define socksify_poll_advance(...) ON_LIBRARY_STACK_IF_THERE(socksify_poll_advance, __VA_ARGS__)
#define socksify_take_event(...) ON_LIBRARY_STACK_IF_THERE(socksify_take_event, __VA_ARGS__)
#define socksify_inspect_handshakes() ON_LIBRARY_STACK_IF_THERE(socksify_inspect_handshakes)
#define socksify_audit_epoll(...) ON_LIBRARY_STACK_IF_THERE(socksify_audit_epoll, __VA_ARGS__)
#define socksify_note_epoll(...) ON_LIBRARY_STACK_IF_THERE(socksify_note_epoll, __VA_ARGS__)
#define socksify_epoll_ctl(...) ON_LIBRARY_STACK(-ENOBUFS, socksify_epoll_ctl, __VA_ARGS__)
#define socksify_epoll_adopt(...) ON_LIBRARY_STACK_IF_THERE(socksify_epoll_adopt, __VA_ARGS__)
#define socksify_getaddrinfo(...) ON_LIBRARY_STACK(EAI_MEMORY, socksify_getaddrinfo, __VA_ARGS__)
#define socksify_getnameinfo(...) ON_LIBRARY_STACK(EAI_MEMORY, socksify_getnameinfo, __VA_ARGS__)
#define socksify_names_belong_to_proxy() ON_LIBRARY_STACK(1, socksify_names_belong_to_proxy)
#define socksify_searches_domains() ON_LIBRARY_STACK(0, socksify_searches_domains)
#define socksify_answer_question(...) ON_LIBRARY_STACK(-1, socksify_answer_question, __VA_ARGS__)
#define socksify_host_by_name(name, family, entry, buffer, length, host_error)                 \
    ON_LIBRARY_STACK((*(host_error) = NETDB_INTERNAL, ENOMEM), socksify_host_by_name, name, family, entry, buffer, \
                     length, host_error)
#define socksify_host_by_address(address, length, family, entry, buffer, buffer_length, host_error) \
    ON_LIBRARY_STACK((*(host_error) = NETDB_INTERNAL, ENOMEM), socksify_host_by_address, address, length, family, \
                     entry, buffer, buffer_length, host_error)
#define socksify_start(...) ON_LIBRARY_STACK(-ENOMEM, socksify_start, __VA_ARGS__)
#define socksify_prepare_inheritance() ON_LIBRARY_STACK_IF_THERE(socksify_prepare_inheritance)
#define socksify_move_own_descriptor(...) ON_LIBRARY_STACK_IF_THERE(socksify_move_own_descriptor, __VA_ARGS__)
