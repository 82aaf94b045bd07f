#include "RealLibC.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#define HOOK(name) void *real_##name;
#include "HookedSymbols.h"
#undef HOOK

static long missing(void) {
    errno = ENOSYS;
    return -1;
}

void *socksify_find_real(void **slot, const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (!function) function = (void *)missing;
    __atomic_store_n(slot, function, __ATOMIC_RELAXED);
    return function;
}

int real_call_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                          struct addrinfo **result) {
    return REAL(getaddrinfo)(node, service, hints, result);
}

int real_call_getnameinfo(const struct sockaddr *address, socklen_t length, char *host, socklen_t host_length,
                          char *service, socklen_t service_length, int flags) {
    return REAL(getnameinfo)(address, length, host, host_length, service, service_length, flags);
}

void real_call_freeaddrinfo(struct addrinfo *list) {
    freeaddrinfo(list);
}

/* The program's allocator is looked up by name: `free` in this library is that of its own heap. */
char *real_copy_string(const char *text, size_t count) {
    static void *real_strndup;
    return ((__typeof__(&strndup))socksify_real(&real_strndup, "strndup"))(text, count);
}

void real_free_string(char *text) {
    static void *real_free;
    ((void (*)(void *))socksify_real(&real_free, "free"))(text);
}
