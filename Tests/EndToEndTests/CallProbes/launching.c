/* launching CASE PROGRAM...: prints what a process that starts a program sees, and the result of the start. */
#include "probe.h"

#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>

extern char **environ;

static const char *program;
static char **arguments;

static int task_count(void) {
    int count = -2;
    DIR *directory = opendir("/proc/self/task");
    require(directory);
    while (readdir(directory)) count++;
    closedir(directory);
    return count;
}

/* The state of this process, which has started a program. */
static void say_own_state(void) {
    int threads = task_count(), fd = socket(AF_INET, SOCK_STREAM, 0);
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    say("here: inet %s, no new privileges %d, threads %d, SIGUSR2 %s\n", outcome(fd),
        prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), threads, sigismember(&blocked, SIGUSR2) ? "blocked" : "free");
    if (fd >= 0) close(fd);
}

static void say_status(pid_t child) {
    int status;
    require(waitpid(child, &status, 0) == child);
    say("exited %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -status);
}

/* Descriptors, the working directory, blocked signals and the environment: with a child that executes, with the
 * process itself, and with posix_spawn(3). */
static void prepare(void) {
    require(mkdir("there", 0700) == 0 || errno == EEXIST);
    require(close(open("there/in-its-directory", O_CREAT | O_WRONLY, 0600)) == 0);
    require(dup2(1, 9) == 9 && dup3(1, 8, O_CLOEXEC) == 8);
    require(setenv("KEPT", "as it is", 1) == 0);
}

static void block_signal(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void by_exec(void) {
    prepare();
    pid_t child = fork();
    if (child == 0) {
        require(chdir("there") == 0 && prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) == 0);
        block_signal();
        execv(program, arguments);
        _exit(99);
    }
    say_status(child);
    say_own_state();
}

static void by_vfork(void) {
    prepare();
    require(chdir("there") == 0);
    pid_t child = vfork();
    if (child == 0) {
        block_signal();
        execve(program, arguments, environ);
        _exit(99);
    }
    say_status(child);
    say_own_state();
}

static void by_spawn(void) {
    prepare();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addchdir_np(&actions, "there");
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &set);
    pid_t child;
    require(posix_spawn(&child, program, &actions, &attributes, arguments, environ) == 0);
    say_status(child);
    say_own_state();
}

/* Starts that fail for reasons that only the attempt shows. */
static void failing(void) {
    static char large[1 << 18];
    memset(large, 'x', sizeof large - 1);
    char *too_many[] = {"unreached", large, NULL};
    pid_t child = 0;
    execv(program, too_many);
    say("execv %s\n", outcome(-1));
    execvp(program, too_many);
    say("execvp %s\n", outcome(-1));
    fexecve(open(program, O_RDONLY | O_CLOEXEC), too_many, environ);
    say("fexecve %s\n", outcome(-1));
    say("posix_spawn %s\n", strerrorname_np(posix_spawn(&child, program, NULL, NULL, too_many, environ)));
    int busy = open(program, O_WRONLY);
    require(busy >= 0);
    execv(program, arguments);
    say("execv %s\n", outcome(-1));
    say("posix_spawn %s\n", strerrorname_np(posix_spawn(&child, program, NULL, NULL, arguments, environ)));
    close(busy);
    say("child %d\n", (int)child);
    say_own_state();
}

/* A thread other than the first. */
static void *execute(void *nothing) {
    (void)nothing;
    execv(program, arguments);
    say("not executed: %s\n", outcome(-1));
    return NULL;
}

static void by_thread(void) {
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        require(pthread_create(&thread, NULL, execute, NULL) == 0);
        pthread_join(thread, NULL);
        _exit(99);
    }
    say_status(child);
    say_own_state();
}

/* The program is found as by execvp(3). */
static void by_search(void) {
    char *name = strrchr(program, '/');
    require(name);
    *name++ = 0;
    char path[1024];
    snprintf(path, sizeof path, "/nonexistent:/etc/passwd:%s:/usr/bin", program);
    require(setenv("PATH", path, 1) == 0);
    pid_t child = fork();
    if (child == 0) {
        execlp(name, name, "facts", NULL);
        _exit(99);
    }
    say_status(child);
    require(posix_spawnp(&child, name, NULL, NULL, arguments, environ) == 0);
    say_status(child);
    execlp("a-program-that-is-nowhere", "x", NULL);
    say("execlp %s\n", outcome(-1));
    say("posix_spawnp %s\n", strerrorname_np(posix_spawnp(&child, "a-program-that-is-nowhere", NULL, NULL, arguments,
                                                          environ)));
    say_own_state();
}

static long page_count(void) {
    long count;
    FILE *file = fopen("/proc/self/statm", "r");
    require(file && fscanf(file, "%ld", &count) == 1 && fclose(file) == 0);
    return count;
}

static void start_by_vfork(void) {
    pid_t child = vfork();
    if (child == 0) {
        execv(program, arguments);
        _exit(99);
    }
    int status;
    require(waitpid(child, &status, 0) == child && status == 0);
}

/* Children that share the memory. */
static void by_many(void) {
    start_by_vfork();
    start_by_vfork();
    long before = page_count();
    for (int turn = 0; turn < 50; turn++) start_by_vfork();
    say("%+ld pages\n", page_count() - before);
}

/* The program inherits, as descriptor 5, the connection that the arguments name, or a UDP socket. */
static void with_socket(int type) {
    address to = numeric(arguments[1], arguments[2]);
    int fd = socket(to.any.sa_family, type, 0);
    require(fd >= 0 && (type == SOCK_DGRAM || connect(fd, &to.any, to.length) == 0));
    require(fd == 5 || dup2(fd, 5) == 5);
    char *given[] = {"unreached", "socket", "5", arguments[1], arguments[2], NULL};
    pid_t child = fork();
    if (child == 0) {
        execv(program, given);
        _exit(99);
    }
    say_status(child);
}

/* Runs with another user's rights. */
static void for_another(void) {
    require(setegid(65534) == 0 && seteuid(65534) == 0);
    execv(program, arguments);
    say("not executed: %s\n", outcome(-1));
}

static void as_nobody(void) {
    require(setgid(65534) == 0 && setuid(65534) == 0);
    execv(program, arguments);
    say("not executed: %s\n", outcome(-1));
}

int main(int count, char **given) {
    require(count >= 3);
    alarm(40);
    program = given[2];
    arguments = given + 2;
    const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {{"exec", by_exec}, {"vfork", by_vfork}, {"spawn", by_spawn}, {"failing", failing},
                 {"thread", by_thread}, {"search", by_search}, {"memory", by_many}, {"another", for_another},
                 {"nobody", as_nobody}};
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++)
        if (strcmp(given[1], cases[index].name) == 0) cases[index].run();
    if (strcmp(given[1], "stream") == 0) with_socket(SOCK_STREAM);
    if (strcmp(given[1], "datagram") == 0) with_socket(SOCK_DGRAM);
}
