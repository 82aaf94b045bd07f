/* libc's streams (stdio) of a descriptor read and write by libc's internal names. On an encapsulated stream they would
 * write past the encapsulation; so there they get functions that call the hooks. */
#include "Interpose.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Called by programs that were compiled with checks; no header declares them without. */
int __dprintf_chk(int fd, int flag, const char *format, ...);
int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments);

static int is_encapsulated(int fd) {
    return descriptor_may_be_encapsulated(fd) && socksify_stream_unread(fd) != SOCKSIFY_STREAM_PASS;
}

static ssize_t read_cookie(void *cookie, char *bytes, size_t count) {
    return read((int)(intptr_t)cookie, bytes, count);
}

static ssize_t write_cookie(void *cookie, const char *bytes, size_t count) {
    size_t done = 0;
    while (done < count) {
        ssize_t some = write((int)(intptr_t)cookie, bytes + done, count - done);
        if (some <= 0) break;
        done += (size_t)some;
    }
    return (ssize_t)done;
}

static int close_cookie(void *cookie) {
    return close((int)(intptr_t)cookie);
}

FILE *fdopen(int fd, const char *mode) {
    if (!is_encapsulated(fd)) return REAL(fdopen)(fd, mode);
    FILE *stream = fopencookie((void *)(intptr_t)fd, mode,
                               (cookie_io_functions_t){read_cookie, write_cookie, NULL, close_cookie});
    /* For fileno(3). */
    if (stream) stream->_fileno = fd;
    return stream;
}

static int print(int fd, const char *format, va_list arguments) {
    FILE *stream = fopencookie((void *)(intptr_t)fd, "w", (cookie_io_functions_t){NULL, write_cookie, NULL, NULL});
    if (!stream) return -1;
    int length = vfprintf(stream, format, arguments);
    return fclose(stream) == 0 ? length : -1;
}

int vdprintf(int fd, const char *format, va_list arguments) {
    return is_encapsulated(fd) ? print(fd, format, arguments) : REAL(vdprintf)(fd, format, arguments);
}

int dprintf(int fd, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int result = vdprintf(fd, format, arguments);
    va_end(arguments);
    return result;
}

int __vdprintf_chk(int fd, int flag, const char *format, va_list arguments) {
    return is_encapsulated(fd) ? print(fd, format, arguments) : REAL(__vdprintf_chk)(fd, flag, format, arguments);
}

int __dprintf_chk(int fd, int flag, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int result = __vdprintf_chk(fd, flag, format, arguments);
    va_end(arguments);
    return result;
}
