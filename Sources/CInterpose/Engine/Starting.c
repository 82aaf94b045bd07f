/* Programs that do not load the library are recognised by their files, and started without network, unless the
 * configuration says otherwise.
 *
 * A seccomp(2) filter cannot be removed, and execve(2) may fail. So the filter is installed in a new thread, not in the
 * calling one: the kernel keeps filters and no_new_privs per thread. If that thread executes a program, the program
 * replaces the process, and keeps its ID, its parent and the thread's filter; a child of the thread has it, too. If the
 * execution fails, the thread ends, and nothing has changed. The caller is suspended meanwhile (CLONE_VFORK), so
 * the thread can use the caller's thread-local memory, above all `errno`. This also works in a child of vfork: its
 * parent continues when the program runs.
 *
 * The functions called here need little stack. */
#include "Starting.h"

#include <sched.h>
#include <sys/prctl.h>

#include "Interpose.h"

/* More than posix_spawn(3) needs together with a signal handler. */
enum { STACK = 64 * 1024 };

struct restricted {
    struct start *start;
    /* Whether the program certainly does not load the library, which would guard inherited sockets. */
    int is_certain;
    uint64_t signals;
    int death_signal;
    int error;
};

/* The path of the table that the program will share. */
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

/* The thread. A signal handler may run in it as if it ran just before the call. */
static int run(void *given) {
    struct restricted *restricted = given;
    if (restricted->death_signal) kernel_call(SYS_prctl, PR_SET_PDEATHSIG, restricted->death_signal, 0, 0, 0, 0);
    restricted->error = restrict_thread(restricted);
    kernel_restore_signals(&restricted->signals);
    if (restricted->error == 0) restricted->error = restricted->start->call(restricted->start);
    return 0;
}

/* Whether a debugger traces this thread: it would lose a program that another thread executes. */
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
        /* The thread may exist for a moment after the caller continues; until it ends the kernel counts it. */
        while (thread > 0 && kernel_call(SYS_tgkill, kernel_process_id(), thread, 0, 0, 0, 0) == 0) kernel_yield();
    }
    if (thread < 0) {
        /* If no thread can be created, as between unshare(CLONE_NEWPID) and fork(), a process that executes a program
         * restricts itself. If the execution fails it stays restricted; the library has the key. */
        restricted.error = start->takes_place ? restrict_thread(&restricted) : EAGAIN;
        if (restricted.error == 0) restricted.error = start->call(start);
    }
    start_memory_give_back(stack, STACK);
    return restricted.error;
}

int start_program(struct start *start) {
    /* The program's own filter may forbid the calls that examine a file. */
    if (process_is_confined()) return start->call(start);
    struct program program;
    int result = program_look(start->directory, start->path, start->flags, &program);
    /* Only the child knows the directory of a relative path. */
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
