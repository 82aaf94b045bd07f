/* The system calls that wait. They always run on the program's stack, with its signal mask. The cancellable ones are
 * cancellation points, as libc's connect() is, which they serve; no other call of the library is one.
 *
 * In C, because the thread unwinds from here. Swift's frames need no cleanup: while a call waits, no lock is held and
 * nothing is half written. They have no unwind tables either, so the stack ends there for the unwinder: glibc continues
 * with the innermost handler of pthread_cleanup_push(), but C++ destructors, and handlers of C code compiled with
 * -fexceptions, do not run.
 *
 * They return what the kernel returns: a negative error number on failure. `errno` is left alone. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

/* connect(2) */
long cancellable_connect(int fd, const void *_Nonnull address, socklen_t length);

/* Waits for one descriptor; a negative `milliseconds` waits without limit. Every signal handler interrupts it, also for
 * a signal that arrived after the last wait. */
long cancellable_poll(struct pollfd *_Nonnull descriptor, int milliseconds);

/* Sleeps for this many nanoseconds, less if a signal is handled. False if the kernel refuses. */
bool interruptible_sleep(long nanoseconds);

/* Opens a file for reading, and reads from it (see Kernel/Files.h): its file system may never answer. */
long interruptible_open_to_read(const char *_Nonnull path);
long interruptible_read(int fd, void *_Nonnull bytes, size_t count);

/* Writes to a descriptor of the program, which may stay full for ever (see Kernel/Descriptors.h). */
long interruptible_write_unasked(int fd, const void *_Nonnull bytes, size_t count);

/* Whether a signal that the program does not block has a handler installed without SA_RESTART. Only then may an
 * interrupted call fail with EINTR (signal(7)). */
int interruptible_by_handler(void);
