/* The calls that start programs. Each gives the program an environment with which the library is loaded there too.
 *
 * These are called in children of vfork, and on small stacks. */
#include "Interpose.h"

#include <alloca.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void capture(void) {
    socksify_capture_environment();
    /* Now, because later the process may have put itself under a filter of system calls. */
    socksify_choose_table();
    standard_error_capture();
    if (socksify_take_sockets_variable()) socksify_adopt_sockets();
}

static struct socksify_environment_size missing(char *const *environment) {
    socksify_choose_table();
    struct socksify_environment_size size = socksify_missing_environment(environment);
    if (size.is_cleaned) {
        socksify_prepare_inheritance();
        size = socksify_missing_environment(environment);
    }
    socksify_hand_on_table();
    return size;
}

/* The environment to start a program with: the given one when it lacks nothing, else a completed copy. */
struct environment {
    char *const *list;
    /* Where a copy lies that is too large for this; NULL when there is none. */
    void *memory;
    size_t size;
    char *few[96];
};

static void discard(struct environment *environment) {
    if (environment->memory) start_memory_give_back(environment->memory, environment->size);
}

/* 0, or ENOMEM. */
static int complete(struct environment *environment, char *const *given) {
    for (;;) {
        struct socksify_environment_size size = missing(given);
        environment->list = given;
        environment->memory = NULL;
        if (!size.pointers) return 0;
        void *place = environment->few;
        environment->size = size.pointers * sizeof *given + size.bytes;
        if (environment->size > sizeof environment->few) {
            place = environment->memory = start_memory_take(environment->size);
            if (!place) return ENOMEM;
        }
        environment->list = place;
        if (socksify_complete_environment(given, size, place)) return 0;
        /* Another thread has added something meanwhile. */
        discard(environment);
    }
}

/* `call`, which starts a program with `environment.list`; `refused(error)` when there is no memory for that. */
#define STARTING(given, call, refused)                                                         \
    ({                                                                                         \
        struct environment environment;                                                        \
        int error = complete(&environment, (given));                                           \
        int result = error ? refused(error) : (call);                                          \
        if (!error) discard(&environment);                                                     \
        result;                                                                                \
    })

static inline int failed(int error) {
    errno = error;
    return -1;
}

#define EXECUTING(given, call) STARTING(given, call, failed)

int execve(const char *path, char *const arguments[], char *const variables[]) {
    return EXECUTING(variables, REAL(execve)(path, arguments, environment.list));
}

int execv(const char *path, char *const arguments[]) {
    return EXECUTING(environ, REAL(execve)(path, arguments, environment.list));
}

int execvp(const char *file, char *const arguments[]) {
    return EXECUTING(environ, REAL(execvpe)(file, arguments, environment.list));
}

int execvpe(const char *file, char *const arguments[], char *const variables[]) {
    return EXECUTING(variables, REAL(execvpe)(file, arguments, environment.list));
}

int execveat(int directory, const char *path, char *const arguments[], char *const variables[], int flags) {
    return EXECUTING(variables, REAL(execveat)(directory, path, arguments, environment.list, flags));
}

int fexecve(int fd, char *const arguments[], char *const variables[]) {
    return EXECUTING(variables, REAL(fexecve)(fd, arguments, environment.list));
}

/* The arguments of an execl function as an array on the stack of the function that asks. */
#define COLLECT(first, arguments)                                                              \
    ({                                                                                         \
        va_list counted;                                                                       \
        size_t count = 1;                                                                      \
        va_copy(counted, arguments);                                                           \
        if (first)                                                                             \
            while (va_arg(counted, char *)) count++;                                           \
        va_end(counted);                                                                       \
        char **array = alloca((count + 1) * sizeof *array);                                    \
        array[0] = (char *)(first);                                                            \
        if (first)                                                                             \
            for (size_t index = 1; index <= count; index++) array[index] = va_arg(arguments, char *); \
        array;                                                                                 \
    })

int execl(const char *path, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    char **array = COLLECT(first, arguments);
    va_end(arguments);
    return EXECUTING(environ, REAL(execve)(path, array, environment.list));
}

int execlp(const char *file, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    char **array = COLLECT(first, arguments);
    va_end(arguments);
    return EXECUTING(environ, REAL(execvpe)(file, array, environment.list));
}

int execle(const char *path, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    char **array = COLLECT(first, arguments);
    char *const *variables = va_arg(arguments, char *const *);
    va_end(arguments);
    return EXECUTING(variables, REAL(execve)(path, array, environment.list));
}

/* These give the error instead of setting errno. */
#define SPAWNING(given, call) STARTING(given, call, /* the error itself */)

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[], char *const variables[]) {
    return SPAWNING(variables, REAL(posix_spawn)(pid, path, actions, attributes, arguments, environment.list));
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const arguments[], char *const variables[]) {
    return SPAWNING(variables, REAL(posix_spawnp)(pid, file, actions, attributes, arguments, environment.list));
}

/* system() and popen() take the environment from `environ`, which other threads read. So it stays as it is, and what it
 * lacks is exported by a shell in front of the command's own. */
struct shell_command {
    const char *text;
    void *memory;
    size_t size;
};

static void discard_command(void *command) {
    struct shell_command *discarded = command;
    if (discarded->memory) start_memory_give_back(discarded->memory, discarded->size);
}

/* 0, or ENOMEM. */
static int supplement(struct shell_command *command, const char *given) {
    *command = (struct shell_command){.text = given};
    if (!given || !missing(environ).pointers) return 0;
    for (;;) {
        size_t size = socksify_write_shell_command(environ, given, NULL, 0);
        void *memory = start_memory_take(size);
        if (!memory) return ENOMEM;
        *command = (struct shell_command){memory, memory, size};
        if (socksify_write_shell_command(environ, given, memory, size) == size) return 0;
        /* Another thread has added something meanwhile. */
        discard_command(command);
    }
}

int system(const char *given) {
    struct shell_command command;
    int error = supplement(&command, given), result;
    if (error) return failed(error);
    pthread_cleanup_push(discard_command, &command);
    result = REAL(system)(command.text);
    pthread_cleanup_pop(1);
    return result;
}

FILE *popen(const char *given, const char *mode) {
    struct shell_command command;
    int error = supplement(&command, given);
    if (error) {
        errno = error;
        return NULL;
    }
    FILE *result = REAL(popen)(command.text, mode);
    discard_command(&command);
    return result;
}
