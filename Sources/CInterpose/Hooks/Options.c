/* The options and state of a socket, and shutdown. */
#include "Interpose.h"

#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "Engine/Datagrams.h"
#include "Engine/EncapsulatedStreams.h"

/* Options that the library uses while a handshake is pending (see LentOptions). */
static inline int is_lent(int level, int option) {
    return (level == SOL_SOCKET && option == SO_RCVLOWAT) || (level == IPPROTO_TCP && option == TCP_CORK);
}

/* Options for the route of a socket's packets to its destination. */
static inline int is_of_way(int level, int option) {
    return (level == SOL_SOCKET && (option == SO_BINDTODEVICE || option == SO_BINDTOIFINDEX || option == SO_MARK)) ||
           (level == IPPROTO_IP && option == IP_UNICAST_IF) || (level == IPPROTO_IPV6 && option == IPV6_UNICAST_IF);
}

/* Whether the kernel's value of the option may differ from the program's. */
static inline int may_be_without(int fd, int level, int option) {
    return descriptor_may_be_substitute(fd) || (is_of_way(level, option) && descriptor_may_have_way(fd));
}

/* Whether the kernel may have the library's value of such an option. SO_RCVLOWAT of an encapsulated stream is the
 * library's for good. */
static inline int may_have_lent(int fd) {
    return descriptor_may_be_pending(fd) || descriptor_may_be_encapsulated(fd);
}

/* While the kernel connects, TCP_USER_TIMEOUT may be the library's. */
static inline void put_option_back(int fd, int level, int option) {
    if (level == IPPROTO_TCP && option == TCP_USER_TIMEOUT && descriptor_may_be_pending(fd))
        socksify_put_user_timeout_back(fd);
}

int getsockopt(int fd, int level, int option, void *value, socklen_t *length) {
    put_option_back(fd, level, option);
    if (may_be_without(fd, level, option)) {
        int result = socksify_getsockopt(fd, level, option, value, length);
        if (result != SOCKSIFY_PASS) return returned(result);
    }
    if (level == IPPROTO_TCP && option == TCP_INFO && descriptor_may_be_pending(fd) && socksify_is_pending(fd)) {
        int result = REAL(getsockopt)(fd, level, option, value, length);
        /* The first byte. The memory is writable, because the kernel has written to it. */
        if (result == 0 && *length > 0) ((struct tcp_info *)value)->tcpi_state = TCP_SYN_SENT;
        return result;
    }
    int is_error = level == SOL_SOCKET && option == SO_ERROR;
    int may_be_lent = is_lent(level, option) && may_have_lent(fd);
    if (!may_be_lent && !(is_error && descriptor_may_be_pending(fd)))
        return REAL(getsockopt)(fd, level, option, value, length);
    int own = is_error ? socksify_take_error(fd) : socksify_lent_option(fd, level, option);
    int result = REAL(getsockopt)(fd, level, option, value, length);
    /* The memory is writable, because the kernel has written to it. */
    if (result == 0 && own != SOCKSIFY_PASS) memcpy(value, &own, *length < sizeof own ? *length : sizeof own);
    return result;
}

/* If the kernel splits or joins datagrams, each cannot have a header. */
int setsockopt(int fd, int level, int option, const void *value, socklen_t length) {
    int is_offload = level == SOL_UDP && (option == UDP_SEGMENT || option == UDP_GRO || option == UDP_CORK);
    if (is_offload && !socksify_allows_offload(fd)) {
        errno = ENOPROTOOPT;
        return -1;
    }
    /* The kernel would encrypt what is encapsulated, and write past the encapsulation. */
    if (level == IPPROTO_TCP && option == TCP_ULP && descriptor_may_be_encapsulated(fd)) {
        errno = ENOENT;
        return -1;
    }
    put_option_back(fd, level, option);
    if ((is_lent(level, option) && may_have_lent(fd)) || (is_of_way(level, option) && descriptor_may_be_pending(fd))) {
        int result = socksify_set_lent_option(fd, level, option, value, length);
        if (result != SOCKSIFY_PASS) return returned(result);
    }
    int may_be_led = is_of_way(level, option) && process_runtime_is_made() && !process_is_confined();
    if (may_be_led || may_be_without(fd, level, option)) {
        int result = socksify_setsockopt(fd, level, option, value, length);
        if (result != SOCKSIFY_PASS) return returned(result);
    }
    int result = REAL(setsockopt)(fd, level, option, value, length);
    if (result == 0 && (is_lent(level, option) || is_of_way(level, option)))
        descriptor_set_mark(fd, DESCRIPTOR_OPTIONS);
    return result;
}

int shutdown(int fd, int how) {
    if (how >= SHUT_RD && how <= SHUT_RDWR && (descriptor_may_be_pending(fd) || descriptor_may_be_relayed(fd))) {
        int result = socksify_shutdown(fd, how);
        if (result != SOCKSIFY_PASS) return returned(result);
    }
    int result = REAL(shutdown)(fd, how);
    if (result < 0 && errno == ENOTCONN && process_runtime_is_made() && !process_is_confined()) {
        socksify_was_shut(fd, how);
        errno = ENOTCONN;
    }
    return result;
}

int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    int unread;
    if (request == FIONREAD &&
        ((descriptor_may_be_encapsulated(fd) && stream_unread(fd, &unread)) ||
         (descriptor_may_be_relayed(fd) && relayed_unread(fd, &unread)))) {
        int result = REAL(ioctl)(fd, request, argument);
        /* The memory is writable, because the kernel has written to it. */
        if (result == 0) *(int *)argument = unread;
        return result;
    }
    int is_pending = request == FIONREAD && descriptor_may_be_pending(fd) && socksify_is_pending(fd);
    int result = REAL(ioctl)(fd, request, argument);
    if (result == 0 && is_pending) *(int *)argument = 0;
    return result;
}
