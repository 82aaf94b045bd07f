/* The resolver's calls. */
#include "Interpose.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int address_info(const char *node, const char *service, const struct addrinfo *hints,
                        struct addrinfo **result) {
    if (mechanism_calls() == MECHANISM_CALLS_DIRECT) return SOCKSIFY_PASS;
    if (mechanism_calls() == MECHANISM_CALLS_REFUSED) {
        mechanism_calls_refuse();
        return EAI_AGAIN;
    }
    int code = socksify_getaddrinfo(node, service, hints, result);
    if (code <= 0 || code == SOCKSIFY_PASS) return code;
    errno = code;
    return EAI_SYSTEM;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    int code = address_info(node, service, hints, result);
    return code == SOCKSIFY_PASS ? REAL(getaddrinfo)(node, service, hints, result) : code;
}

int getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_length, char *service,
                socklen_t service_length, int flags) {
    if (mechanism_calls() == MECHANISM_CALLS_REFUSED && !(flags & NI_NUMERICHOST)) {
        mechanism_calls_refuse();
        return EAI_AGAIN;
    }
    if (is_internet(address, length) && !mechanism_calls()) {
        int code = socksify_getnameinfo(address, length, host, host_length, service, service_length, flags);
        if (code != SOCKSIFY_PASS) return code;
    }
    return REAL(getnameinfo)(address, length, host, host_length, service, service_length, flags);
}

/* Notifies the program that its requests are complete, by the method it has chosen (sigevent(7)). */
static void notify(struct sigevent *event) {
    if (!event || event->sigev_notify == SIGEV_NONE) return;
    if (event->sigev_notify == SIGEV_SIGNAL) {
        siginfo_t info = {.si_signo = event->sigev_signo, .si_code = SI_ASYNCNL};
        info.si_value = event->sigev_value;
        info.si_pid = getpid();
        info.si_uid = getuid();
        kernel_call(SYS_rt_sigqueueinfo, info.si_pid, event->sigev_signo, (long)&info, 0, 0, 0);
    } else if (event->sigev_notify == SIGEV_THREAD) {
        static void *real_pthread_create;
        pthread_t thread;
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        /* The function returns void; the result of a detached thread is ignored. */
        ((__typeof__(&pthread_create))real_function(&real_pthread_create, "pthread_create"))(
            &thread, event->sigev_notify_attributes ? event->sigev_notify_attributes : &attributes,
            (void *(*)(void *))(void *)event->sigev_notify_function, event->sigev_value.sival_ptr);
        pthread_attr_destroy(&attributes);
    }
}

/* Every request is complete when this returns, because none waits for the network: names get fake addresses. If this
 * machine resolves the names, libc does it in its threads. */
int getaddrinfo_a(int mode, struct gaicb *list[], int count, struct sigevent *event) {
    if (mode != GAI_WAIT && mode != GAI_NOWAIT) return REAL(getaddrinfo_a)(mode, list, count, event);
    for (int index = 0; index < count; index++) {
        struct gaicb *request = list[index];
        if (!request) continue;
        struct addrinfo *result = NULL;
        int code = address_info(request->ar_name, request->ar_service, request->ar_request, &result);
        if (code == SOCKSIFY_PASS) {
            if (index == 0) return REAL(getaddrinfo_a)(mode, list, count, event);
            code = REAL(getaddrinfo)(request->ar_name, request->ar_service, request->ar_request, &result);
        }
        request->ar_result = result;
        request->__return = code;
    }
    if (mode == GAI_NOWAIT) notify(event);
    return 0;
}

/* Converts the Swift function's result to that of a call with a buffer: 0 also if there is no such host. As in libc,
 * `h_errno` is set as well as the caller's variable.
 *
 * `unanswered`: the result if no server has answered. */
static int host_result(int code, int unanswered, struct hostent *entry, struct hostent **result,
                       const int *host_error) {
    *result = code == 0 ? entry : NULL;
    if (code == ENOENT) {
        h_errno = *host_error;
        code = *host_error == TRY_AGAIN ? unanswered : 0;
    }
    errno = code;
    return code;
}

int gethostbyname2_r(const char *name, int family, struct hostent *entry, char *buffer, size_t length,
                     struct hostent **result, int *host_error) {
    int code = socksify_host_by_name(name, family, entry, buffer, length, host_error);
    if (code == SOCKSIFY_PASS)
        return REAL(gethostbyname2_r)(name, family, entry, buffer, length, result, host_error);
    return host_result(code, EAGAIN, entry, result, host_error);
}

int gethostbyname_r(const char *name, struct hostent *entry, char *buffer, size_t length, struct hostent **result,
                    int *host_error) {
    int code = socksify_host_by_name(name, AF_INET, entry, buffer, length, host_error);
    if (code == SOCKSIFY_PASS) return REAL(gethostbyname_r)(name, entry, buffer, length, result, host_error);
    return host_result(code, EAGAIN, entry, result, host_error);
}

int gethostbyaddr_r(const void *address, socklen_t length, int family, struct hostent *entry, char *buffer,
                    size_t buffer_length, struct hostent **result, int *host_error) {
    int code = socksify_host_by_address(address, length, family, entry, buffer, buffer_length, host_error);
    if (code == SOCKSIFY_PASS)
        return REAL(gethostbyaddr_r)(address, length, family, entry, buffer, buffer_length, result, host_error);
    return host_result(code, 0, entry, result, host_error);
}

/* The result of calls without a caller's buffer; the next call overwrites it, as in libc. A buffer that was too small
 * is not freed, because another thread may write to it. */
static struct {
    struct hostent entry;
    char first[2048], *buffer;
    size_t size;
} shared = {.buffer = shared.first, .size = sizeof shared.first};

/* Whether the call must be repeated with the larger buffer. */
static int has_grown(int code) {
    if (code != ERANGE) return 0;
    long larger = kernel_map(2 * shared.size);
    if (larger < 0) return 0;
    shared.buffer = (char *)larger;
    shared.size *= 2;
    return 1;
}

static struct hostent *shared_result(int code, int unanswered, int host_error) {
    struct hostent *result;
    if (host_error) h_errno = host_error;
    host_result(code, unanswered, &shared.entry, &result, &host_error);
    return result;
}

struct hostent *gethostbyname2(const char *name, int family) {
    int code, host_error = 0;
    do code = socksify_host_by_name(name, family, &shared.entry, shared.buffer, shared.size, &host_error);
    while (has_grown(code));
    if (code == SOCKSIFY_PASS) return REAL(gethostbyname2)(name, family);
    return shared_result(code, EAGAIN, host_error);
}

struct hostent *gethostbyname(const char *name) {
    int code, host_error = 0;
    do code = socksify_host_by_name(name, AF_INET, &shared.entry, shared.buffer, shared.size, &host_error);
    while (has_grown(code));
    if (code == SOCKSIFY_PASS) return REAL(gethostbyname)(name);
    return shared_result(code, EAGAIN, host_error);
}

struct hostent *gethostbyaddr(const void *address, socklen_t length, int family) {
    int code, host_error = 0;
    do {
        code = socksify_host_by_address(address, length, family, &shared.entry, shared.buffer, shared.size,
                                        &host_error);
    } while (has_grown(code));
    if (code == SOCKSIFY_PASS) return REAL(gethostbyaddr)(address, length, family);
    return shared_result(code, 0, host_error);
}
