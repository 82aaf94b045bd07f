/* The names of libc that the library exports in libc's place: THE list.
 *
 * The version script that exports them, and nothing else, is made from it; a check holds the built library against
 * it. Each line is HOOK(name). */

/* Connections. `__connect` is an alias that libc exports. */
HOOK(connect)
HOOK(__connect)
HOOK(getpeername)
HOOK(getsockname)

/* New sockets, to refuse protocols that no proxy supports, and listening sockets. While a program waits in accept(2),
 * its own connections advance. */
HOOK(socket)
HOOK(listen)
HOOK(accept)
HOOK(accept4)

/* Data. A pending socket has no data of the program's yet. A send with an address connects (MSG_FASTOPEN), or has its
 * own destination. */
HOOK(read)
HOOK(__read)
HOOK(__read_chk)
HOOK(readv)
HOOK(preadv2)
HOOK(preadv64v2)
HOOK(recv)
HOOK(__recv_chk)
HOOK(recvfrom)
HOOK(__recvfrom_chk)
HOOK(recvmsg)
HOOK(recvmmsg)
HOOK(write)
HOOK(__write)
HOOK(writev)
HOOK(pwritev2)
HOOK(pwritev64v2)
HOOK(send)
HOOK(__send)
HOOK(sendto)
HOOK(sendmsg)
HOOK(sendmmsg)
HOOK(sendfile)
HOOK(sendfile64)
HOOK(splice)

/* libc's streams of a socket: libc's own would write past the encapsulation of a stream (RFC 1961). */
HOOK(fdopen)
HOOK(dprintf)
HOOK(vdprintf)
HOOK(__dprintf_chk)
HOOK(__vdprintf_chk)

/* Options and state of a socket, and shutdown. */
HOOK(getsockopt)
HOOK(setsockopt)
HOOK(ioctl)
HOOK(shutdown)

/* Sleep, and waits for signals. */
HOOK(sleep)
HOOK(usleep)
HOOK(nanosleep)
HOOK(__nanosleep)
HOOK(clock_nanosleep)
HOOK(thrd_sleep)
HOOK(pause)
HOOK(sigsuspend)

/* Waits for children. */
HOOK(wait)
HOOK(__wait)
HOOK(wait3)
HOOK(wait4)
HOOK(waitpid)
HOOK(__waitpid)
HOOK(waitid)

/* Readiness. */
HOOK(poll)
HOOK(__poll)
HOOK(__poll_chk)
HOOK(ppoll)
HOOK(__ppoll_chk)
HOOK(select)
HOOK(__select)
HOOK(pselect)
HOOK(epoll_create)
HOOK(epoll_create1)
HOOK(epoll_ctl)
HOOK(epoll_wait)
HOOK(epoll_pwait)
HOOK(epoll_pwait2)

/* Closing and duplicating descriptors. */
HOOK(close)
HOOK(__close)
HOOK(close_range)
HOOK(closefrom)
HOOK(dup)
HOOK(dup2)
HOOK(__dup2)
HOOK(dup3)
HOOK(fcntl)
HOOK(__fcntl)
HOOK(fcntl64)

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

/* DNS queries. The names with underscores serve programs that were linked with an older libc. */
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

/* Executing programs. Every name is hooked, because libc's calls among them bypass the hooks. */
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

/* Creating processes without the handlers of pthread_atfork(3). */
HOOK(vfork)
HOOK(_Fork)
HOOK(clone)

/* System call filters of the program itself (PR_SET_SECCOMP). */
HOOK(prctl)

/* Dropping rights: the process then leaves the shared memory. */
HOOK(setuid)
HOOK(seteuid)
HOOK(setreuid)
HOOK(setresuid)

/* Exits without destructors. */
HOOK(_exit)
HOOK(_Exit)

/* Loading libraries at run time. They must find these names before libc's: RTLD_DEEPBIND is dropped, and dlmopen(3)
 * fails for other namespaces. */
HOOK(dlopen)
HOOK(dlmopen)

/* System calls by number. */
HOOK(syscall)

/* Left out, with the reason:
 *
 * fclose, fread, fwrite: libc's streams call its internal names. The library records sockets by cookie, so that an
 *     unseen close does no harm; programs wait for a connection before they make it a stream.
 * bind: sends nothing.
 * sigwait, sigwaitinfo, sigtimedwait: take a signal, which ppoll(2) would give to a handler.
 * socketpair: makes local sockets only.
 * pread, pwrite, lseek: fail on a socket.
 * freeaddrinfo: the lists that the library returns were made by libc.
 * gai_error, gai_suspend, gai_cancel: read the request, which is complete when getaddrinfo_a returns.
 * fork: pthread_atfork's mechanism sees it.
 * rcmd, rexec, ruserok: connect by libc's internal names; nothing uses them any more. */
