/* libc's own functions, behind the names that the library exports.
 *
 * In C, because the functions are found by name and called by C types. */
#pragma once

#include <netdb.h>
#include <sys/socket.h>

/* Finds the next definition of `name` behind this library and stores it in `slot`. Never returns NULL: for a name
 * that libc does not have, a function is returned that fails with ENOSYS. */
void *_Nonnull socksify_find_real(void *_Nullable *_Nonnull slot, const char *_Nonnull name);

/* REAL(name) is libc's function of that name, found at the first use: hooks are called before any constructor of
 * this library ran. */
#define REAL(name) ((__typeof__(&name))socksify_real(&real_##name, #name))

static inline void *_Nonnull socksify_real(void *_Nullable *_Nonnull slot, const char *_Nonnull name) {
    void *function = __atomic_load_n(slot, __ATOMIC_RELAXED);
    return function ? function : socksify_find_real(slot, name);
}

#define HOOK(name) extern void *_Nullable real_##name;
#include "HookedSymbols.h"
#undef HOOK

/* The functions that Swift calls. Contracts as in getaddrinfo(3), getnameinfo(3), gethostbyaddr(3). */
int real_call_getaddrinfo(const char *_Nullable node, const char *_Nullable service,
                          const struct addrinfo *_Nullable hints, struct addrinfo *_Nullable *_Nonnull result);
int real_call_getnameinfo(const struct sockaddr *_Nullable address, socklen_t length, char *_Nullable host,
                          socklen_t host_length, char *_Nullable service, socklen_t service_length, int flags);
void real_call_freeaddrinfo(struct addrinfo *_Nonnull list);

/* Copies `count` bytes of `text` into a string of the program's own allocator, which freeaddrinfo() will free. NULL
 * when there is no memory. */
char *_Nullable real_copy_string(const char *_Nonnull text, size_t count);
/* Gives a string back to the program's allocator. */
void real_free_string(char *_Nullable text);
