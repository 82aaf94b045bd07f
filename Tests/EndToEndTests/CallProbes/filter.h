/* Filters of system calls, as programs put themselves under (seccomp(2)). */
#pragma once

#include "probe.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

unused static void filter_call(int number, unsigned action) {
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, action),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    require(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

/* From now on this call fails with EPERM. */
unused static void refuse_call(int number) { filter_call(number, SECCOMP_RET_ERRNO | EPERM); }

/* From now on this call ends the process, as if it were killed just there. */
unused static void end_at_call(int number) { filter_call(number, SECCOMP_RET_KILL_PROCESS); }
