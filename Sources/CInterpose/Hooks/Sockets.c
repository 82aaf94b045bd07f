/* Creation of sockets, and listening. */
#include "Interpose.h"

#include <netinet/in.h>

/* Whether the socket is TCP or UDP, which a proxy can relay, or local. These are the usual sockets, which need no look
 * at the configuration. */
static inline int is_common(int domain, int type, int protocol) {
    if (domain == AF_UNIX) return 1;
    if (domain != AF_INET && domain != AF_INET6) return 0;
    type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    return (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP)) ||
           (type == SOCK_DGRAM && (protocol == 0 || protocol == IPPROTO_UDP));
}

/* For the first socket that may need a proxy: prepares what the library needs. Later, when the socket connects, the
 * library may find no free descriptor. */
static void prepare(int domain) {
    static int is_prepared;
    if (domain == AF_UNIX || process_is_confined() || !process_is_own()) return;
    if (!__atomic_exchange_n(&is_prepared, 1, __ATOMIC_RELAXED)) socksify_prepare();
}

int socket(int domain, int type, int protocol) {
    if (!is_common(domain, type, protocol)) {
        int result = socksify_socket(domain, type, protocol);
        if (result != SOCKSIFY_PASS) return returned(result);
    }
    int fd = REAL(socket)(domain, type, protocol);
    if (fd < 0 && errno == EACCES) fd = returned((int)keyed_socket(domain, type, protocol));
    if (fd >= 0 && !process_runtime_is_made()) prepare(domain);
    return fd;
}

int listen(int fd, int backlog) {
    int result = socksify_listen(fd);
    return result == SOCKSIFY_PASS ? REAL(listen)(fd, backlog) : returned(result);
}
