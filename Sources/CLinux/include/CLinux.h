// System calls of Linux that the Glibc module of Swift leaves out.

#ifndef CLINUX_H
#define CLINUX_H

#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/xattr.h>

/// Whether execve(2) gives this process no rights that it does not have (PR_SET_NO_NEW_PRIVS).
/// In C because prctl takes a variable number of arguments. Does not fail.
static inline bool linux_has_no_new_privileges(void) {
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

#endif
