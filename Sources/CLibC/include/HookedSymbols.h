/* The names of libc that the library exports in libc's place: THE list.
 *
 * The version script that exports them, and nothing else, is made from it; a check holds the built library against
 * it. Each line is HOOK(name). */

/* Connections. `__connect` is an alias that libc exports. */
HOOK(connect)
HOOK(__connect)
HOOK(getpeername)

/* Data that carries an address: MSG_FASTOPEN connects; datagrams have a destination each. */
HOOK(sendto)
HOOK(sendmsg)
HOOK(sendmmsg)

/* Names. */
HOOK(getaddrinfo)
HOOK(getaddrinfo_a)
HOOK(gethostbyname)
HOOK(gethostbyname_r)
HOOK(gethostbyname2)
HOOK(gethostbyname2_r)
HOOK(gethostbyaddr)
HOOK(gethostbyaddr_r)
HOOK(getnameinfo)

/* Questions to the DNS. The names with underscores are those of programs that were linked with an older libc. */
HOOK(res_query)
HOOK(res_search)
HOOK(res_querydomain)
HOOK(res_send)
HOOK(res_nquery)
HOOK(res_nsearch)
HOOK(res_nquerydomain)
HOOK(res_nsend)
HOOK(__res_query)
HOOK(__res_search)
HOOK(__res_querydomain)
HOOK(__res_send)
HOOK(__res_nquery)
HOOK(__res_nsearch)
HOOK(__res_nquerydomain)
HOOK(__res_nsend)

/* Programs that are started. Each name by itself: libc's own calls among them do not come through here. */
HOOK(execve)
HOOK(execv)
HOOK(execvp)
HOOK(execvpe)
HOOK(execl)
HOOK(execle)
HOOK(execlp)
HOOK(execveat)
HOOK(fexecve)
HOOK(posix_spawn)
HOOK(posix_spawnp)
HOOK(system)
HOOK(popen)

/* System calls by number. */
HOOK(syscall)

/* Left out, with the reason:
 *
 * close, close_range, closefrom, dup, dup2, dup3, fcntl, fclose: what is known of a socket belongs to its cookie, not
 *     to a descriptor, so that nothing has to be followed.
 * send, __send, write, writev: carry no address, so they cannot open a connection.
 * freeaddrinfo: the lists that are handed out are libc's own.
 * gai_error, gai_suspend, gai_cancel: read the request, which is complete when getaddrinfo_a returns.
 * fork, _Fork: no state belongs to a process.
 * vfork: a wrapper in C would return into a frame that the child has overwritten.
 * rcmd, rexec, ruserok: connect by libc's internal names; nothing uses them any more. */
