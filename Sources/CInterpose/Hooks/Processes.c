/* The calls that start programs. Each gives the program an environment that loads the library, or starts it as a
 * program without the library (see Starting.h).
 *
 * Programs call these in children of vfork, and on small stacks. */
#include "Interpose.h"
#include "Engine/Starting.h"

#include <alloca.h>
#include <limits.h>
#include <paths.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

__attribute__((constructor)) static void capture(void) {
    environment_capture();
    standard_error_capture();
    if (environment_take_sockets_variable()) socksify_adopt_sockets();
}

static struct environment_size missing(char *const *environment) {
    environment_choose_table();
    struct environment_size size = environment_missing(environment);
    if (size.is_cleaned) {
        socksify_prepare_inheritance();
        size = environment_missing(environment);
    }
    environment_hand_on_table();
    return size;
}

/* The environment of a new program: the given one if it is complete, else a completed copy. */
struct environment {
    char *const *list;
    /* The memory of a larger copy; NULL if there is none. */
    void *memory;
    size_t size;
    char *few[48];
};

static void discard(struct environment *environment) {
    if (environment->memory) start_memory_give_back(environment->memory, environment->size);
}

/* 0, or ENOMEM. */
static int complete(struct environment *environment, char *const *given) {
    for (;;) {
        struct environment_size size = missing(given);
        environment->list = given;
        environment->memory = NULL;
        if (!size.pointers) return 0;
        void *memory = environment->few;
        environment->size = size.pointers * sizeof *given + size.bytes;
        if (environment->size > sizeof environment->few) {
            memory = environment->memory = start_memory_take(environment->size);
            if (!memory) return ENOMEM;
        }
        environment->list = memory;
        if (environment_complete(given, size, memory)) return 0;
        /* Another thread has added a variable meanwhile. */
        discard(environment);
    }
}

/* No program has taken the place of this one. */
static void go_on(void) {
    int error = errno;
    socksify_was_not_replaced();
    errno = error;
}

/* `call`, which starts a program with `environment.list`; `refused(error)` without memory. */
#define STARTING(given, call, refused, takes_place)                                            \
    ({                                                                                         \
        int is_prepared = !pending_is_undisturbed(pending_word());                             \
        if (is_prepared) socksify_prepare_to_hand_on(takes_place);                             \
        struct environment environment;                                                        \
        int error = complete(&environment, (given));                                           \
        int result = error ? refused(error) : (call);                                          \
        if (!error) discard(&environment);                                                     \
        if (is_prepared && (takes_place)) go_on();                                             \
        result;                                                                                \
    })

static inline int failed(int error) {
    errno = error;
    return -1;
}

#define EXECUTING(given, call) STARTING(given, returned(-(call)), failed, 1)

/* ----- A program in place of this one ----- */

struct execution {
    struct start start;
    char *const *arguments;
};

static int call_execve(struct start *start) {
    REAL(execve)(start->path, ((struct execution *)start)->arguments, start->variables);
    return errno;
}

static int call_execveat(struct start *start) {
    char *const *arguments = ((struct execution *)start)->arguments;
    REAL(execveat)(start->directory, start->path, arguments, start->variables, start->flags);
    return errno;
}

static int call_fexecve(struct start *start) {
    REAL(fexecve)(start->directory, ((struct execution *)start)->arguments, start->variables);
    return errno;
}

/* These return the error's number. */

static int execute(const char *path, char *const *arguments, char *const *variables) {
    struct execution execution = {{.call = call_execve, .directory = AT_FDCWD, .path = path,
                                   .variables = variables, .takes_place = 1}, arguments};
    return start_program(&execution.start);
}

static int execute_at(int directory, const char *path, char *const *arguments, char *const *variables, int flags) {
    struct execution execution = {{.call = call_execveat, .directory = directory, .path = path, .flags = flags,
                                   .variables = variables, .takes_place = 1}, arguments};
    return start_program(&execution.start);
}

static int execute_descriptor(int fd, char *const *arguments, char *const *variables) {
    struct execution execution = {{.call = call_fexecve, .directory = fd, .path = "", .flags = AT_EMPTY_PATH,
                                   .variables = variables, .takes_place = 1}, arguments};
    return start_program(&execution.start);
}

/* A file in a format that the kernel does not know is a shell script (execvp(3)). */
static int execute_or_interpret(const char *path, char *const *arguments, char *const *variables) {
    int error = execute(path, arguments, variables);
    if (error != ENOEXEC) return error;
    size_t count = 0;
    while (arguments && arguments[count]) count++;
    const char *list[count + 3], **end = list;
    *end++ = _PATH_BSHELL;
    *end++ = path;
    for (size_t index = 1; index < count; index++) *end++ = arguments[index];
    *end = NULL;
    return execute(_PATH_BSHELL, (char *const *)list, variables);
}

/* The directories where execvp(3) looks for a file, one after the other. */
struct search {
    const char *rest;
    const char *file;
    /* The size of the longest path, with its zero. */
    size_t room;
    int is_over;
};

static size_t first_folder(const char *folders) {
    return strcspn(folders, ":");
}

static struct search search_for(const char *file) {
    const char *folders = getenv("PATH");
    if (!folders) folders = "/bin:/usr/bin";
    size_t longest = 0;
    for (const char *rest = folders;;) {
        size_t length = first_folder(rest);
        if (length > longest) longest = length < PATH_MAX ? length : PATH_MAX;
        if (!rest[length]) break;
        rest += length + 1;
    }
    return (struct search){folders, file, longest + 1 + strlen(file) + 1, 0};
}

static int search_next(struct search *search, char *path) {
    while (!search->is_over) {
        const char *folder = search->rest;
        size_t length = first_folder(folder);
        search->is_over = !folder[length];
        search->rest = folder + length + 1;
        /* Too long for a path. */
        if (length > PATH_MAX) continue;
        char *end = mempcpy(path, folder, length);
        /* An empty entry means the current directory. */
        if (length) *end++ = '/';
        strcpy(end, search->file);
        return 1;
    }
    return 0;
}

/* Whether the search continues with the next directory after this error. */
static int search_goes_on(int error) {
    return error == EACCES || error == ENOENT || error == ESTALE || error == ENOTDIR || error == ENODEV ||
           error == ETIMEDOUT;
}

/* Tries the possible paths of a file until one attempt is final; returns its error. Inlined, so that the attempt is a
 * direct call that tools can follow. */
static inline __attribute__((always_inline)) int find(
    const char *file, int (*attempt)(const char *path, const void *of), const void *of) {
    if (!*file) return ENOENT;
    if (strchr(file, '/')) return attempt(file, of);
    if (strlen(file) > NAME_MAX) return ENAMETOOLONG;
    struct search search = search_for(file);
    char path[search.room];
    int error = ENOENT, is_refused = 0;
    while (search_next(&search, path)) {
        error = attempt(path, of);
        if (!search_goes_on(error)) return error;
        is_refused |= error == EACCES;
    }
    return is_refused ? EACCES : error;
}

struct wanted_execution {
    char *const *arguments, *const *variables;
};

static int attempt_execution(const char *path, const void *of) {
    const struct wanted_execution *wanted = of;
    return execute_or_interpret(path, wanted->arguments, wanted->variables);
}

static int execute_found(const char *file, char *const *arguments, char *const *variables) {
    return find(file, attempt_execution, &(struct wanted_execution){arguments, variables});
}

int execve(const char *path, char *const arguments[], char *const variables[]) {
    return EXECUTING(variables, execute(path, arguments, environment.list));
}

int execv(const char *path, char *const arguments[]) {
    return EXECUTING(environ, execute(path, arguments, environment.list));
}

int execvp(const char *file, char *const arguments[]) {
    return EXECUTING(environ, execute_found(file, arguments, environment.list));
}

int execvpe(const char *file, char *const arguments[], char *const variables[]) {
    return EXECUTING(variables, execute_found(file, arguments, environment.list));
}

int execveat(int directory, const char *path, char *const arguments[], char *const variables[], int flags) {
    return EXECUTING(variables, execute_at(directory, path, arguments, environment.list, flags));
}

int fexecve(int fd, char *const arguments[], char *const variables[]) {
    return EXECUTING(variables, execute_descriptor(fd, arguments, environment.list));
}

/* The arguments of an execl function as an array on the caller's stack. */
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
    return EXECUTING(environ, execute(path, array, environment.list));
}

int execlp(const char *file, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    char **array = COLLECT(first, arguments);
    va_end(arguments);
    return EXECUTING(environ, execute_found(file, array, environment.list));
}

int execle(const char *path, const char *first, ...) {
    va_list arguments;
    va_start(arguments, first);
    char **array = COLLECT(first, arguments);
    char *const *variables = va_arg(arguments, char *const *);
    va_end(arguments);
    return EXECUTING(variables, execute(path, array, environment.list));
}

/* ----- Children ----- */

/* These return the error instead of setting errno. */
#define SPAWNING(given, call) STARTING(given, call, /* the error itself */, 0)

struct spawn {
    struct start start;
    pid_t *pid;
    const posix_spawn_file_actions_t *actions;
    const posix_spawnattr_t *attributes;
    char *const *arguments;
};

static int call_posix_spawn(struct start *start) {
    const struct spawn *spawn = (const struct spawn *)start;
    return REAL(posix_spawn)(spawn->pid, start->path, spawn->actions, spawn->attributes, spawn->arguments,
                             start->variables);
}

/* Starts the program with this path and environment. */
static int spawn_program(struct spawn spawn, const char *path, char *const *variables) {
    spawn.start = (struct start){.call = call_posix_spawn, .directory = AT_FDCWD, .path = path, .variables = variables,
                                 .has_actions = spawn.actions != NULL};
    return start_program(&spawn.start);
}

struct wanted_spawn {
    struct spawn spawn;
    char *const *variables;
};

static int attempt_spawn(const char *path, const void *of) {
    const struct wanted_spawn *wanted = of;
    return spawn_program(wanted->spawn, path, wanted->variables);
}

static int spawn_found(struct spawn spawn, const char *file, char *const *variables) {
    return find(file, attempt_spawn, &(struct wanted_spawn){spawn, variables});
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[], char *const variables[]) {
    const struct spawn spawn = {.pid = pid, .actions = actions, .attributes = attributes, .arguments = arguments};
    return SPAWNING(variables, spawn_program(spawn, path, environment.list));
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const arguments[], char *const variables[]) {
    const struct spawn spawn = {.pid = pid, .actions = actions, .attributes = attributes, .arguments = arguments};
    return SPAWNING(variables, spawn_found(spawn, file, environment.list));
}

/* system() and popen() use `environ`, which other threads read and which must stay unchanged. So a first shell exports
 * the missing variables, and then executes the command's shell. */
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
        size_t size = environment_write_shell_command(environ, given, NULL, 0);
        void *memory = start_memory_take(size);
        if (!memory) return ENOMEM;
        *command = (struct shell_command){memory, memory, size};
        if (environment_write_shell_command(environ, given, memory, size) == size) return 0;
        /* Another thread has added a variable meanwhile. */
        discard_command(command);
    }
}

/* The shell is a program, too. */
struct shell {
    struct start start;
    const char *command, *mode;
    int status;
    FILE *stream;
};

static int call_system(struct start *start) {
    struct shell *shell = (struct shell *)start;
    shell->status = REAL(system)(shell->command);
    return 0;
}

static int call_popen(struct start *start) {
    struct shell *shell = (struct shell *)start;
    shell->stream = REAL(popen)(shell->command, shell->mode);
    return shell->stream ? 0 : errno;
}

static int start_shell(struct shell *shell) {
    shell->start.directory = AT_FDCWD;
    shell->start.path = _PATH_BSHELL;
    shell->start.variables = environ;
    return start_program(&shell->start);
}

int system(const char *given) {
    struct shell_command command;
    int error = supplement(&command, given);
    if (error) return failed(error);
    struct shell shell = {.start = {.call = call_system}, .command = command.text};
    pthread_cleanup_push(discard_command, &command);
    error = start_shell(&shell);
    pthread_cleanup_pop(1);
    return error ? failed(error) : shell.status;
}

FILE *popen(const char *given, const char *mode) {
    struct shell_command command;
    int error = supplement(&command, given);
    if (!error) {
        struct shell shell = {.start = {.call = call_popen}, .command = command.text, .mode = mode};
        error = start_shell(&shell);
        discard_command(&command);
        if (!error) return shell.stream;
    }
    errno = error;
    return NULL;
}
