#include "RealLibC.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

/* Aligned so that it lies in one page. */
struct hot_state hot_state __attribute__((aligned(1024)));
_Static_assert(sizeof(struct hot_state) <= 1024, "the alignment");

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

void find_all_real(void) {
#define HOOK(name) socksify_real(&hot_state.real[HOOKED_##name], #name);
#include "HookedSymbols.h"
#undef HOOK
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
