/* A seccomp(2) filter for programs that do not load the library: they can do everything except use the
 * network. It stops programs that would go direct by accident; it is no sandbox.
 *
 * It refuses sockets of all families but AF_UNIX, AF_NETLINK and AF_ALG (EACCES), io_uring, which makes sockets without
 * system calls (ENOSYS), and pidfd_getfd(2) (EPERM). A program that inherits network sockets, as from inetd, can read
 * and write them, but connect(2), sendto(2) with an address, sendmsg(2) and sendmmsg(2) fail, also on Unix sockets: a
 * filter cannot tell the kind of a descriptor.
 *
 * Descendants keep the filter, and some may load the library. The library therefore passes a key, derived from the name
 * of the process tree's table, in the fourth argument, which socket(2) does not use; with it the filter allows the
 * socket. */
#pragma once

#include <stdint.h>

/* The key of the process tree with this table (SOCKSIFY_TABLE); 0, which never matches, without a table. */
uint64_t network_key(const char *_Nullable table);

/* Whether the process has network sockets that an executed program would inherit: those without FD_CLOEXEC, or all. */
int network_sockets_are_held(int closed_on_exec_too);

/* Installs the filter and PR_SET_NO_NEW_PRIVS for the calling thread and its descendants, irrevocably. 0, or a negative
 * error number. */
long network_forbid(uint64_t key, int sockets_are_held);
