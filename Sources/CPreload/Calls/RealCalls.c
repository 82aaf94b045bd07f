#include "RealCalls.h"

#include <errno.h>
#include <nss.h>
#include <string.h>

#include "LibraryStack.h"
#include "RealLibC.h"

_Static_assert(REAL_EAI_NODATA == EAI_NODATA && REAL_EAI_ADDRFAMILY == EAI_ADDRFAMILY, "the codes of netdb.h");

int real_call_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                          struct addrinfo **result) {
    return ON_PROGRAM_STACK(REAL(getaddrinfo), node, service, hints, result);
}

int real_call_getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_length,
                          char *service, socklen_t service_length, int flags) {
    return ON_PROGRAM_STACK(REAL(getnameinfo), address, length, host, host_length, service, service_length, flags);
}

void real_call_freeaddrinfo(struct addrinfo *list) {
    static void *real_freeaddrinfo;
    ON_PROGRAM_STACK((__typeof__(&freeaddrinfo))real_function(&real_freeaddrinfo, "freeaddrinfo"), list);
}

/* The answer of libc's service "files" (nss(5)). Without that service nothing is listed. */
static enum real_listed listed(enum nss_status status, int error) {
    if (status == NSS_STATUS_SUCCESS) return REAL_LISTED;
    return status == NSS_STATUS_TRYAGAIN && error == ERANGE ? REAL_LISTED_NEEDS_ROOM : REAL_NOT_LISTED;
}

enum real_listed real_call_listed_host_by_name(const char *name, int family, struct hostent *entry, char *buffer,
                                               size_t length) {
    static void *slot;
    enum nss_status (*look_up)(const char *, int, struct hostent *, char *, size_t, int *, int *) =
        real_function(&slot, "_nss_files_gethostbyname2_r");
    int error = 0, host_error;
    struct hostent *result;
    /* A numeric host needs no question. Before, libc reads host.conf(5): may several lines have one name? */
    ON_PROGRAM_STACK(REAL(gethostbyname_r), "0.0.0.0", entry, buffer, length, &result, &host_error);
    enum nss_status status = ON_PROGRAM_STACK(look_up, name, family, entry, buffer, length, &error, &host_error);
    return listed(status, error);
}

/* The arguments of a call with more words than `struct call` has. */
struct address_call {
    const void *address;
    socklen_t length;
    int family;
    struct hostent *entry;
    char *buffer;
    size_t buffer_length;
    int error;
};

static long look_up_address(struct address_call *call) {
    static void *slot;
    int host_error;
    enum nss_status (*look_up)(const void *, socklen_t, int, struct hostent *, char *, size_t, int *, int *) =
        real_function(&slot, "_nss_files_gethostbyaddr_r");
    return look_up(call->address, call->length, call->family, call->entry, call->buffer, call->buffer_length,
                   &call->error, &host_error);
}

enum real_listed real_call_listed_host_by_address(const void *address, socklen_t address_length, int family,
                                                  struct hostent *entry, char *buffer, size_t length) {
    struct address_call call = {address, address_length, family, entry, buffer, length, 0};
    return listed((enum nss_status)ON_PROGRAM_STACK(look_up_address, &call), call.error);
}

char *real_copy_string(const char *text, size_t count) {
    static void *malloc_of_program;
    void *(*allocate)(size_t) = real_of_program(&malloc_of_program, "malloc");
    char *copy = ON_PROGRAM_STACK(allocate, count + 1);
    if (!copy) return NULL;
    *(char *)mempcpy(copy, text, count) = '\0';
    return copy;
}

void real_free_string(char *text) {
    static void *free_of_program;
    void (*release)(void *) = real_of_program(&free_of_program, "free");
    ON_PROGRAM_STACK(release, text);
}
