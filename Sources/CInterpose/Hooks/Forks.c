/* Creation of processes: by fork(2), which runs the handlers of pthread_atfork(3), and by calls that do not. */
#include "Interpose.h"

#include <sched.h>
#include <stdarg.h>
#include <unistd.h>

void before_fork(void) {
    environment_hand_on_table();
    process_count_fork();
}

/* Exported by libc; pthread_atfork() is a static function that calls it. Does not allocate. */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object);

/* If the parent has other threads, the child must not search for libc's functions (see real_find_all). */
static void prepare_fork(void) {
    if (process_is_threaded()) real_find_all();
    before_fork();
}

__attribute__((constructor)) static void watch_forks(void) {
    process_begin();
    __register_atfork(prepare_fork, NULL, process_begin_child, process_pages);
}

/* The child runs in the caller's frame, where the parent continues later. So this jumps to libc's function, which
 * returns twice, directly to the program. */
pid_t vfork(void) {
    process_before_vfork();
    __attribute__((musttail)) return REAL(vfork)();
}

pid_t _Fork(void) {
    before_fork();
    return REAL(_Fork)();
}

/* Whether these flags create that kind of child. */
static int makes(uint64_t flags, uint64_t wanted) {
    return (flags & (CLONE_THREAD | CLONE_VM | CLONE_VFORK | CLONE_SETTLS)) == wanted;
}

void before_clone(uint64_t flags) {
    if (flags & CLONE_THREAD) return;
    if (!(flags & CLONE_VM)) {
        before_fork();
    } else if (makes(flags, CLONE_VM | CLONE_VFORK)) {
        process_before_vfork();
    } else {
        /* dlsym(3) needs thread-local variables, which the child may not have. */
        real_find_all();
        process_before_sharing();
    }
}

int clone(int (*function)(void *), void *stack, int flags, void *argument, ...) {
    va_list arguments;
    void *word[3];
    va_start(arguments, argument);
    for (int index = 0; index < 3; index++) word[index] = va_arg(arguments, void *);
    va_end(arguments);
    before_clone((unsigned)flags);
    int child = REAL(clone)(function, stack, flags, argument, word[0], word[1], word[2]);
    /* The call has waited for the child's end. Chromium's sandbox creates such a child, with zeros for thread-local
     * variables, which calls _exit(2). */
    if (makes((unsigned)flags, CLONE_VM | CLONE_VFORK | CLONE_SETTLS)) process_after_sharing();
    return child;
}
