/* Calls that wait for children. Pending connections advance meanwhile. */
#include "Interpose.h"

#include <sys/resource.h>
#include <sys/wait.h>

static int may_wait_beside(int options) {
    return pending_any_beside() && !(options & WNOHANG) && !process_is_confined();
}

pid_t wait4(pid_t child, int *status, int options, struct rusage *usage) {
    for (int is_interrupted = 0; may_wait_beside(options); is_interrupted = !go_on_for_a_moment()) {
        pid_t found = REAL(wait4)(child, status, options | WNOHANG, usage);
        if (found != 0) return found;
        if (is_interrupted) return returned(-EINTR);
    }
    return REAL(wait4)(child, status, options, usage);
}

pid_t wait3(int *status, int options, struct rusage *usage) {
    return may_wait_beside(options) ? wait4(-1, status, options, usage) : REAL(wait3)(status, options, usage);
}

pid_t waitpid(pid_t child, int *status, int options) {
    return may_wait_beside(options) ? wait4(child, status, options, NULL) : REAL(waitpid)(child, status, options);
}

pid_t __waitpid(pid_t child, int *status, int options) __attribute__((alias("waitpid")));

pid_t wait(int *status) {
    return may_wait_beside(0) ? wait4(-1, status, 0, NULL) : REAL(wait)(status);
}

pid_t __wait(int *status) __attribute__((alias("wait")));

int waitid(idtype_t kind, id_t id, siginfo_t *information, int options) {
    for (int is_interrupted = 0; may_wait_beside(options); is_interrupted = !go_on_for_a_moment()) {
        siginfo_t found = {0};
        /* The call itself takes the child's state, because it knows whether it can report it. */
        if (REAL(waitid)(kind, id, &found, options | WNOHANG | WNOWAIT) != 0 || found.si_pid != 0) break;
        if (is_interrupted) return returned(-EINTR);
    }
    return REAL(waitid)(kind, id, information, options);
}
