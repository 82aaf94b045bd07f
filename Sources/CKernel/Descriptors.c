#include "Kernel/Descriptors.h"

/* In a file of its own, because fcntl.h has these names for GNU alone, which Swift does not see. */
void kernel_take_over_flags(int fd, int from) {
    struct f_owner_ex owner;
    if (kernel_call(SYS_fcntl, from, F_GETOWN_EX, (long)&owner, 0, 0, 0) == 0 && owner.pid != 0)
        kernel_call(SYS_fcntl, fd, F_SETOWN_EX, (long)&owner, 0, 0, 0);
    long signal = kernel_call(SYS_fcntl, from, F_GETSIG, 0, 0, 0, 0);
    if (signal > 0) kernel_call(SYS_fcntl, fd, F_SETSIG, signal, 0, 0, 0);
    kernel_call(SYS_fcntl, fd, F_SETFL, kernel_status_flags(from), 0, 0, 0);
}
