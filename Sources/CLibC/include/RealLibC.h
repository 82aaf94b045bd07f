/* libc's own functions, behind the names that the library exports.
 *
 * In C, because the functions are found by name and called by C types. */
#pragma once

#include <netdb.h>
#include <stdint.h>
#include <sys/socket.h>

/* Numbers of the hooked names. */
enum {
#define HOOK(name) HOOKED_##name,
#include "HookedSymbols.h"
#undef HOOK
    HOOKED_COUNT,
};

/* What every hook looks at. Side by side, because each page that a hook touches costs a program more than its
 * instructions do. */
struct hot_state {
    /* See InFlight.h. */
    uint64_t in_flight;
    /* libc's functions, as far as they were found. */
    void *_Nullable real[HOOKED_COUNT];
};
extern struct hot_state hot_state __attribute__((visibility("hidden")));

/* Finds the next definition of `name` behind this library and stores it in `slot`. Never returns NULL: for a name
 * that libc does not have, a function is returned that fails with ENOSYS. */
void *_Nonnull socksify_find_real(void *_Nullable *_Nonnull slot, const char *_Nonnull name);

static inline void *_Nonnull socksify_real(void *_Nullable *_Nonnull slot, const char *_Nonnull name) {
    void *function = __atomic_load_n(slot, __ATOMIC_RELAXED);
    return function ? function : socksify_find_real(slot, name);
}

/* REAL(name) is libc's function of that name, found at the first use: hooks are called before any constructor of
 * this library ran. */
#define REAL(name) ((__typeof__(&name))socksify_real(&hot_state.real[HOOKED_##name], #name))

/* The same, if it was found before; else NULL. */
#define KNOWN(name) ((__typeof__(&name))__atomic_load_n(&hot_state.real[HOOKED_##name], __ATOMIC_RELAXED))

/* Finds all of them. A child of fork may not look for one if its parent had other threads: one of them may have been
 * loading a library, and the loader's lock is never released in the child. */
void find_all_real(void);

/* Codes of getaddrinfo(3) that Swift does not see, because netdb.h has them for GNU alone. */
enum { REAL_EAI_NODATA = -5, REAL_EAI_ADDRFAMILY = -9 };

/* The functions that Swift calls. Contracts as in getaddrinfo(3), getnameinfo(3), gethostbyaddr(3). */
int real_call_getaddrinfo(const char *_Nullable node, const char *_Nullable service,
                          const struct addrinfo *_Nullable hints, struct addrinfo *_Nullable *_Nonnull result);
int real_call_getnameinfo(const struct sockaddr *_Nullable address, socklen_t length, char *_Nullable host,
                          socklen_t host_length, char *_Nullable service, socklen_t service_length, int flags);
/* gethostbyname2_r(3) and gethostbyaddr_r(3) of /etc/hosts alone: nobody outside is asked, whatever nsswitch.conf(5)
 * has. */
enum real_listed {
    REAL_NOT_LISTED,
    REAL_LISTED,
    REAL_LISTED_NEEDS_ROOM,
};
enum real_listed real_call_listed_host_by_name(const char *_Nonnull name, int family, struct hostent *_Nonnull entry,
                                               char *_Nonnull buffer, size_t length);
enum real_listed real_call_listed_host_by_address(const void *_Nonnull address, socklen_t address_length, int family,
                                                  struct hostent *_Nonnull entry, char *_Nonnull buffer,
                                                  size_t length);
/* Of a list that the program was not given. */
void real_call_freeaddrinfo(struct addrinfo *_Nonnull list);

/* Copies `count` bytes of `text` into a string of the program's own allocator, which freeaddrinfo() will free. NULL
 * when there is no memory. */
char *_Nullable real_copy_string(const char *_Nonnull text, size_t count);
/* Gives a string back to the program's allocator. */
void real_free_string(char *_Nullable text);
