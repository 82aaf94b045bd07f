/* A seccomp filter (seccomp(2)) for programs that the library is not loaded into: they can do everything but use the
 * network.
 *
 * Refused are sockets of any family but AF_UNIX, AF_NETLINK and AF_ALG (EACCES), io_uring, which makes sockets without
 * a system call for each (ENOSYS), and descriptors taken out of other processes (pidfd_getfd(2), EPERM). Where a
 * program is given sockets of the network, it can read and write them, as a server of inetd does, but connects none
 * and names no destination: connect(2), sendto(2) with an address, sendmsg(2) and sendmmsg(2) are refused, of Unix
 * sockets, too, because a filter does not see what a descriptor is.
 *
 * What such a program starts has the filter, too, and may well be a program that loads the library. So there is a key:
 * with it in the fourth argument, which socket(2) does not have, the socket is made. The library knows the key by the
 * name of the table that it shares with its tree. It keeps programs from the network that do not mean to go around the
 * proxy; it is no prison. */
#pragma once

#include <stdint.h>

/* The key of the process tree with this table (SOCKSIFY_TABLE); 0, which is no key, without a table. */
uint64_t network_key(const char *_Nullable table);

/* Whether the process has network sockets that an executed program would inherit: those without FD_CLOEXEC, or all. */
int network_sockets_are_held(int closed_on_exec_too);

/* Installs the filter and PR_SET_NO_NEW_PRIVS for the calling thread and its descendants, irrevocably. 0, or a negative
 * error number. */
long network_forbid(uint64_t key, int sockets_are_held);
