/* System call filters, as programs install them for themselves (seccomp(2)). */
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

/* Prints by write(2) alone. */
unused static void tell(const char *text) { syscall(SYS_write, 1, text, strlen(text)); }

unused static void tell_forbidden(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    char text[40];
    snprintf(text, sizeof text, "system call %d\n", info->si_syscall);
    tell(text);
    syscall(SYS_exit_group, 1);
}

/* From now on the process may make only these calls, a list that ends with -1, and print. Any other call is
 * reported, and ends the process. */
unused static void allow_calls(const int *numbers) {
    struct sigaction action = {.sa_sigaction = tell_forbidden, .sa_flags = SA_SIGINFO};
    require(sigaction(SIGSYS, &action, NULL) == 0);
    struct sock_filter steps[64];
    unsigned short count = 0;
    steps[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    const int always[] = {SYS_write, SYS_exit_group, SYS_rt_sigreturn, -1};
    const int *lists[] = {always, numbers};
    for (int list = 0; list < 2; list++) {
        for (const int *number = lists[list]; *number >= 0; number++) {
            require(count < 60);
            steps[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)*number, 0, 1);
            steps[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        }
    }
    steps[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
    struct sock_fprog filter = {count, steps};
    require(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    require(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0);
}

/* From now on this call fails with EPERM. */
unused static void refuse_call(int number) { filter_call(number, SECCOMP_RET_ERRNO | EPERM); }

/* From now on this call ends the process, as if it were killed at that point. */
unused static void end_at_call(int number) { filter_call(number, SECCOMP_RET_KILL_PROCESS); }
