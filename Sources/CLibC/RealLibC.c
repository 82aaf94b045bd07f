#include "RealLibC.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "LibraryStack.h"

/* Aligned so that it lies in one page. */
struct hot_state hot_state __attribute__((aligned(1024)));
_Static_assert(sizeof(struct hot_state) <= 1024, "the alignment");

static long missing(void) {
    errno = ENOSYS;
    return -1;
}

static void *find(void **slot, void *scope, const char *name) {
    void *function = dlsym(scope, name);
    if (!function) function = (void *)missing;
    __atomic_store_n(slot, function, __ATOMIC_RELAXED);
    return function;
}

void *socksify_find_real(void **slot, const char *name) {
    return find(slot, RTLD_NEXT, name);
}

void find_all_real(void) {
#define HOOK(name) socksify_real(&hot_state.real[HOOKED_##name], #name);
#include "HookedSymbols.h"
#undef HOOK
}

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
    ON_PROGRAM_STACK((__typeof__(&freeaddrinfo))socksify_real(&real_freeaddrinfo, "freeaddrinfo"), list);
}

/* As libc itself finds it: the first in the order of lookup, which may be the program's own, or stand in a library
 * before this one. By name, because `free` in this library is that of its own heap. */
static void *of_program(void **slot, const char *name) {
    void *function = __atomic_load_n(slot, __ATOMIC_RELAXED);
    return function ? function : find(slot, RTLD_DEFAULT, name);
}

char *real_copy_string(const char *text, size_t count) {
    static void *malloc_of_program;
    void *(*allocate)(size_t) = of_program(&malloc_of_program, "malloc");
    char *copy = ON_PROGRAM_STACK(allocate, count + 1);
    if (!copy) return NULL;
    *(char *)mempcpy(copy, text, count) = '\0';
    return copy;
}

void real_free_string(char *text) {
    static void *free_of_program;
    void (*release)(void *) = of_program(&free_of_program, "free");
    ON_PROGRAM_STACK(release, text);
}
