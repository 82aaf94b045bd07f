/* The system calls that wait. In them pthread_cancel() ends the thread, as it does in libc's connect(), which they
 * stand for; in all others of the library it does not.
 *
 * In C, because the thread unwinds from here. Nothing in Swift's frames has to be put in order: no lock is held and
 * nothing is half written while somebody waits. These frames have no unwind tables, so that to the unwinder the stack
 * ends there: glibc goes on with the innermost handler of pthread_cleanup_push(), but the destructors of C++, and
 * the handlers of C that was compiled with -fexceptions, do not run.
 *
 * They return what the kernel returns: a negative error number on failure. `errno` is left alone. */
#pragma once

#include <poll.h>
#include <sys/socket.h>

/* connect(2) */
long cancellable_connect(int fd, const void *_Nonnull address, socklen_t length);

/* Waits for one descriptor; a negative `milliseconds` waits without limit. Interrupted by every signal handler. */
long cancellable_poll(struct pollfd *_Nonnull descriptor, int milliseconds);
