/* The functions of libc that Swift calls. They run on the program's stack, with its signal mask.
 *
 * In C, because the functions are found by name and called by C types. */
#pragma once

#include <netdb.h>
#include <stddef.h>
#include <sys/socket.h>

/* Codes of getaddrinfo(3) that Swift does not see, because netdb.h has them for GNU alone. */
enum { REAL_EAI_NODATA = -5, REAL_EAI_ADDRFAMILY = -9 };

/* The functions that Swift calls. Contracts as in getaddrinfo(3), getnameinfo(3), gethostbyaddr(3). */
int real_call_getaddrinfo(const char *_Nullable node, const char *_Nullable service,
                          const struct addrinfo *_Nullable hints, struct addrinfo *_Nullable *_Nonnull result);
int real_call_getnameinfo(const struct sockaddr *_Nullable address, socklen_t length, char *_Nullable host,
                          socklen_t host_length, char *_Nullable service, socklen_t service_length, int flags);
/* gethostbyname2_r(3) and gethostbyaddr_r(3) from /etc/hosts only: they ask no server, whatever nsswitch.conf(5)
 * says. */
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
/* Frees a list that the program did not get. */
void real_call_freeaddrinfo(struct addrinfo *_Nonnull list);

/* Found by name, because `free` in this library belongs to its own heap. */

/* Copies `count` bytes of `text` into a string of the program's allocator, which freeaddrinfo() will free. NULL without
 * memory. */
char *_Nullable real_copy_string(const char *_Nonnull text, size_t count);
/* Gives a string back to the program's allocator. */
void real_free_string(char *_Nullable text);
