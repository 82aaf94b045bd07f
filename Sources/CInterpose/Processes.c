/* The calls that start programs. Each gives the program an environment with which the library is loaded there too.
 *
 * Everything lies on the stack: these are called in children of vfork. */
#include "Interpose.h"

#include <alloca.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void capture(void) {
    socksify_capture_environment();
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

/* The environment to start a program with: `environment` itself when it lacks nothing, else a completed copy that
 * lives as long as the function that asks. A macro, because that is whose stack it must be on. */
#define COMPLETE(environment)                                                                  \
    ({                                                                                         \
        char *const *given = (environment);                                                    \
        struct socksify_environment_size size = missing(given);                                \
        char *const *complete = given;                                                         \
        if (size.pointers) {                                                                   \
            char **pointers = alloca(size.pointers * sizeof *pointers);                        \
            socksify_complete_environment(given, pointers, alloca(size.bytes + 1));            \
            complete = pointers;                                                               \
        }                                                                                      \
        complete;                                                                              \
    })

int execve(const char *path, char *const arguments[], char *const environment[]) {
    return REAL(execve)(path, arguments, COMPLETE(environment));
}

int execv(const char *path, char *const arguments[]) {
    return REAL(execve)(path, arguments, COMPLETE(environ));
}

int execvp(const char *file, char *const arguments[]) {
    return REAL(execvpe)(file, arguments, COMPLETE(environ));
}

int execvpe(const char *file, char *const arguments[], char *const environment[]) {
    return REAL(execvpe)(file, arguments, COMPLETE(environment));
}

int execveat(int directory, const char *path, char *const arguments[], char *const environment[], int flags) {
    return REAL(execveat)(directory, path, arguments, COMPLETE(environment), flags);
}

int fexecve(int fd, char *const arguments[], char *const environment[]) {
    return REAL(fexecve)(fd, arguments, COMPLETE(environment));
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
    return REAL(execve)(path, array, COMPLETE(environ));
}

int execlp(const char *file, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    char **array = COLLECT(first, arguments);
    va_end(arguments);
    return REAL(execvpe)(file, array, COMPLETE(environ));
}

int execle(const char *path, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    char **array = COLLECT(first, arguments);
    char *const *environment = va_arg(arguments, char *const *);
    va_end(arguments);
    return REAL(execve)(path, array, COMPLETE(environment));
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]) {
    return REAL(posix_spawn)(pid, path, actions, attributes, arguments, COMPLETE(environment));
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const arguments[], char *const environment[]) {
    return REAL(posix_spawnp)(pid, file, actions, attributes, arguments, COMPLETE(environment));
}

/* system() and popen() take the environment from `environ`: it is exchanged for their time, and put back unless the
 * program set a variable meanwhile, which made a list of its own out of ours. */
#define WITH_COMPLETE_ENVIRON(call)                                                            \
    ({                                                                                         \
        char **before = environ;                                                               \
        char **complete = (char **)COMPLETE(before);                                           \
        if (complete != before) environ = complete;                                            \
        __typeof__(call) value = (call);                                                       \
        if (complete != before && environ == complete) environ = before;                       \
        value;                                                                                 \
    })

int system(const char *command) {
    return WITH_COMPLETE_ENVIRON(REAL(system)(command));
}

FILE *popen(const char *command, const char *mode) {
    return WITH_COMPLETE_ENVIRON(REAL(popen)(command, mode));
}
