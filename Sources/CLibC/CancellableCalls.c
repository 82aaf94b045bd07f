#include "CancellableCalls.h"

#include <pthread.h>

#include "Kernel.h"

long cancellable_connect(int fd, const void *address, socklen_t length) {
    int previous;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &previous);
    long result = kernel_connect(fd, address, length);
    pthread_setcanceltype(previous, NULL);
    return result;
}

long cancellable_poll(struct pollfd *descriptor, int milliseconds) {
    struct timespec limit = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    int previous;
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &previous);
    long result = kernel_call(SYS_ppoll, (long)descriptor, 1, milliseconds < 0 ? 0 : (long)&limit, 0, 8, 0);
    if (result == -EINVAL) {
        result = kernel_select(descriptor->fd, descriptor->events, milliseconds < 0 ? NULL : &limit);
        descriptor->revents = result > 0 ? descriptor->events : 0;
    }
    pthread_setcanceltype(previous, NULL);
    return result;
}
