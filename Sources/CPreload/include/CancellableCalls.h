/* The system calls that wait. They run on the program's stack and with its signals, wherever they are called. In
 * cancellable calls pthread_cancel() ends the thread, as it does in libc's connect(), which they stand for; in all
 * others of the library it does not.
 *
 * In C, because the thread unwinds from here. Nothing in Swift's frames has to be put in order: no lock is held and
 * nothing is half written while somebody waits. These frames have no unwind tables, so that to the unwinder the stack
 * ends there: glibc goes on with the innermost handler of pthread_cleanup_push(), but the destructors of C++, and
 * the handlers of C that was compiled with -fexceptions, do not run.
 *
 * They return what the kernel returns: a negative error number on failure. `errno` is left alone. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

/* connect(2) */
long cancellable_connect(int fd, const void *_Nonnull address, socklen_t length);

/* Waits for one descriptor; a negative `milliseconds` waits without limit. Interrupted by every signal handler, also
 * for a signal that came after the last wait. */
long cancellable_poll(struct pollfd *_Nonnull descriptor, int milliseconds);

/* Sleeps for this many nanoseconds, less if a signal is handled. False if the kernel refuses. */
bool interruptible_sleep(long nanoseconds);

/* Opens a file for reading, and reads from it (see Kernel/Files.h): its file system may be gone for good. */
long interruptible_open_to_read(const char *_Nonnull path);
long interruptible_read(int fd, void *_Nonnull bytes, size_t count);

/* Writes to a descriptor of the program's, which may be full for good (see Kernel/Descriptors.h). */
long interruptible_write_unasked(int fd, const void *_Nonnull bytes, size_t count);

/* Whether some signal that the program does not block has a handler that was installed without SA_RESTART: only then
 * may a system call that was interrupted end with EINTR, as signal(7) has it. */
int interruptible_by_handler(void);
