/* Calls that change the user. A process that has given up its first user's rights must not write to memory that other
 * processes trust: it continues with a copy of its own. */
#include "Interpose.h"

#include <unistd.h>

/* The real, effective and saved user; AS_IT_IS where a call leaves one unchanged. */
struct users {
    uid_t real, effective, saved;
};
#define AS_IT_IS ((uid_t)-1)

static struct users present_users(void) {
    struct users users;
    kernel_call(SYS_getresuid, (long)&users.real, (long)&users.effective, (long)&users.saved, 0, 0, 0);
    return users;
}

static int gives_up(uid_t user, struct users users) {
    return user != users.real && user != users.effective && user != users.saved;
}

/* Before a call that may set these users: prepares a copy. -1 with `errno` set on failure. A child of vfork must leave
 * its parent's memory unchanged. */
static int prepare(struct users wanted, int *copy) {
    *copy = -1;
    if (!process_runtime_is_made() || process_is_confined() || !process_is_own()) return 0;
    struct users users = present_users();
    uid_t own = (uid_t)*process_user_word();
    if (wanted.real != AS_IT_IS) users.real = wanted.real;
    if (wanted.effective != AS_IT_IS) users.effective = wanted.effective;
    if (wanted.saved != AS_IT_IS) users.saved = wanted.saved;
    if (!gives_up(own, users)) return 0;
    *copy = socksify_copy_shared_memory();
    if (*copy >= 0) return 0;
    errno = EAGAIN;
    return -1;
}

/* After that call. */
static void conclude(int copy, int is_changed) {
    if (copy < 0) return;
    struct users users = present_users();
    int is_given_up = is_changed && gives_up((uid_t)*process_user_word(), users);
    if (is_given_up) {
        socksify_leave_shared_memory(copy);
        *process_user_word() = users.effective;
    }
    kernel_close(copy);
}

#define CHANGING(real, effective, saved, call)                                                                         \
    ({                                                                                                                 \
        int copy, result = prepare((struct users){real, effective, saved}, &copy);                                     \
        if (result == 0) {                                                                                             \
            result = (int)(call);                                                                                      \
            int error = errno;                                                                                         \
            conclude(copy, result == 0);                                                                               \
            errno = error;                                                                                             \
        }                                                                                                              \
        result;                                                                                                        \
    })

/* Changes all three users if the process is privileged, else only the effective one. */
int setuid(uid_t user) {
    return CHANGING(user, user, user, REAL(setuid)(user));
}

int seteuid(uid_t user) {
    return CHANGING(AS_IT_IS, user, AS_IT_IS, REAL(seteuid)(user));
}

/* The saved user may become the effective one. */
static uid_t saved_by(uid_t effective) {
    return effective == AS_IT_IS ? present_users().effective : effective;
}

int setreuid(uid_t real, uid_t effective) {
    return CHANGING(real, effective, saved_by(effective), REAL(setreuid)(real, effective));
}

int setresuid(uid_t real, uid_t effective, uid_t saved) {
    return CHANGING(real, effective, saved, REAL(setresuid)(real, effective, saved));
}

int change_thread_user(long number, uid_t first, uid_t second, uid_t third) {
    switch (number) {
        case SYS_setuid: return CHANGING(first, first, first, REAL(syscall)(number, first));
        case SYS_setreuid: return CHANGING(first, second, saved_by(second), REAL(syscall)(number, first, second));
        default: return CHANGING(first, second, third, REAL(syscall)(number, first, second, third));
    }
}
