/* Programs that the library is not loaded into are told by their files, and started without network, unless the
 * configuration has it otherwise.
 *
 * A filter of seccomp(2) cannot be taken off, and execve(2) may fail, so the calling thread must not be given one: a
 * thread of its own is. The kernel has filters and no_new_privs for each thread. If that thread executes a program, the
 * program takes the place of the process, with its number, its parent and the thread's filter; a child that it makes
 * has the filter, too. If it fails to, it ends, and nothing has happened. The caller does not go on meanwhile
 * (CLONE_VFORK), so that the thread can use the caller's thread-local memory, `errno` above all, in its place. It works
 * in a child of vfork, too: its parent goes on when the program runs.
 *
 * What is called here takes little stack. */
#include "Starting.h"

#include <sched.h>
#include <sys/prctl.h>

#include "Interpose.h"

/* More than posix_spawn(3) takes, and a handler that a signal runs just then. */
enum { STACK = 64 * 1024 };

struct restricted {
    struct start *start;
    /* Whether the program makes use of sockets without the library, which would see to that. */
    int is_certain;
    uint64_t signals;
    int death_signal;
    int error;
};

/* The name of the table that the program will share. */
static const char *table_of(char *const *variables) {
    static const char name[] = "SOCKSIFY_TABLE=";
    for (; variables && *variables; variables++)
        if (strncmp(*variables, name, sizeof name - 1) == 0) return *variables + sizeof name - 1;
    return environment_captured("SOCKSIFY_TABLE");
}

static int restrict_thread(const struct restricted *restricted) {
    const struct start *start = restricted->start;
    int sockets_are_held = restricted->is_certain && network_sockets_are_held(start->has_actions);
    return network_forbid(network_key(table_of(start->variables)), sockets_are_held) < 0 ? EACCES : 0;
}

/* The thread. A handler that runs in it is one that would have run just before the call. */
static int run(void *given) {
    struct restricted *restricted = given;
    if (restricted->death_signal) kernel_call(SYS_prctl, PR_SET_PDEATHSIG, restricted->death_signal, 0, 0, 0, 0);
    restricted->error = restrict_thread(restricted);
    kernel_restore_signals(&restricted->signals);
    if (restricted->error == 0) restricted->error = restricted->start->call(restricted->start);
    return 0;
}

/* Whether a debugger follows this thread: it would lose a program that another one executes. */
static __attribute__((noinline)) int is_traced(void) {
    char text[512];
    long fd = kernel_open_to_read("/proc/thread-self/status");
    if (fd < 0) return 0;
    long count = kernel_read((int)fd, text, sizeof text - 1);
    kernel_close((int)fd);
    text[count > 0 ? count : 0] = 0;
    static const char name[] = "\nTracerPid:\t";
    const char *line = strstr(text, name);
    return line && line[sizeof name - 1] != '0';
}

static int start_without_network(struct start *start, int is_certain) {
    struct restricted restricted = {.start = start, .is_certain = is_certain};
    void *stack = start_memory_take(STACK);
    if (!stack) return ENOMEM;
    int thread = -1;
    kernel_call(SYS_prctl, PR_GET_PDEATHSIG, (long)&restricted.death_signal, 0, 0, 0, 0);
    if (!start->takes_place || !is_traced()) {
        kernel_block_signals(&restricted.signals);
        thread = REAL(clone)(run, (char *)stack + STACK,
                       CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_IO |
                           CLONE_VFORK,
                       &restricted);
        kernel_restore_signals(&restricted.signals);
        /* It goes on for a moment after it has let the caller go on; until it is gone the kernel counts it as one. */
        while (thread > 0 && kernel_call(SYS_tgkill, kernel_process_id(), thread, 0, 0, 0, 0) == 0) kernel_yield();
    }
    if (thread < 0) {
        /* Where there can be no thread, as between unshare(CLONE_NEWPID) and fork(), a process that is to be another
         * program restricts itself. If it fails to become that, it stays restricted: the library has the key. */
        restricted.error = start->takes_place ? restrict_thread(&restricted) : EAGAIN;
        if (restricted.error == 0) restricted.error = start->call(start);
    }
    start_memory_give_back(stack, STACK);
    return restricted.error;
}

int start_program(struct start *start) {
    /* The filter of the program itself may know no call that looks at a file. */
    if (process_is_confined()) return start->call(start);
    struct program program;
    int result = program_look(start->directory, start->path, start->flags, &program);
    /* Where it will be looked for is known to the child alone. */
    if (start->has_actions && result != -EFAULT && *start->path != '/' &&
        (result < 0 || program.reach == PROGRAM_REACHED)) {
        program.reach = PROGRAM_UNCERTAIN;
        program.interpreter[0] = 0;
        result = 0;
    }
    if (result < 0 || program.reach == PROGRAM_REACHED) return start->call(start);
    result = socksify_start(program.reach, start->path, program.interpreter);
    if (result < 0) return -result;
    if (result == SOCKSIFY_PASS) return start->call(start);
    return start_without_network(start, program_is_certain(program.reach));
}
