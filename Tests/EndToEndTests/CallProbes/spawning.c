/* spawning CASE: prints what a program notices of the variables that the library adds for its children. */
#include "probe.h"

#include <spawn.h>

extern char **environ;

/* Removes from the environment what the library will add. */
static char **clean(void) {
    clearenv();
    require(putenv("KEPT=1") == 0);
    return environ;
}

static const char *command;

static void *run_command(void *status) {
    *(int *)status = system(command);
    return NULL;
}

/* Another thread can read the environment at any time. */
static void while_a_command_runs(void) {
    char **before = clean(), *first = environ[0], byte;
    int started[2], end[2], status;
    require(pipe(started) == 0 && pipe(end) == 0 && fcntl(end[1], F_SETFD, FD_CLOEXEC) == 0);
    require(dup2(started[1], 2) == 2 && dup2(end[0], 0) == 0);
    command = "echo >&2; cat";
    pthread_t thread;
    require(pthread_create(&thread, NULL, run_command, &status) == 0 && read(started[0], &byte, 1) == 1);
    say("system: %s\n", environ == before && environ[0] == first && !environ[1] ? "unchanged" : "changed");
    close(end[1]);
    require(pthread_join(thread, NULL) == 0);
    say("status %d\n", status);
    FILE *output = popen("echo; echo", "r");
    require(output && fgetc(output) == '\n');
    say("popen: %s\n", environ == before && environ[0] == first && !environ[1] ? "unchanged" : "changed");
    while (fgetc(output) != EOF) continue;
    say("status %d\n", pclose(output));
}

/* The program gets the shell that it expects, whatever characters the command has. */
static void quoting(void) {
    static const char *commands[] = {
        "printf '<%s>' \"$0\" \"$#\" \"$KEPT\" \"$SOCKSIFY_PASSWORD\" 'it'\"'\"'s' \"a\\\\b\" `echo back`; echo",
        "exit 7", "", "kill -TERM $$", "# nothing\necho second line",
    };
    clean();
    for (size_t index = 0; index < sizeof commands / sizeof *commands; index++) {
        int status = system(commands[index]);
        say("status %x\n", status);
    }
    say("a shell %d\n", system(NULL) != 0);
    char line[300] = "";
    FILE *output = popen(commands[0], "r");
    require(output && fgets(line, sizeof line, output));
    say("%s", line);
    say("status %x\n", pclose(output));
}

enum { VARIABLES = 4000 };
static char *many[VARIABLES + 1];

static void start(const char *program) {
    char *arguments[] = {"true", NULL};
    pid_t child = vfork();
    if (child == 0) {
        execve(program, arguments, many);
        _exit(errno == ENOENT ? 3 : 4);
    }
    int status;
    require(waitpid(child, &status, 0) == child);
    require(status == (strcmp(program, "/bin/true") == 0 ? 0 : 3 << 8));
}

static long pages(void) {
    long count;
    FILE *file = fopen("/proc/self/statm", "r");
    require(file && fscanf(file, "%ld", &count) == 1 && fclose(file) == 0);
    return count;
}

static void fill_environment(void) {
    for (int index = 0; index < VARIABLES; index++) {
        many[index] = malloc(20);
        require(many[index]);
        snprintf(many[index], 20, "VARIABLE_%d=x", index);
    }
}

/* Children that share the memory leave no memory in use, whether they executed a program or failed to. */
static void memory_of_vfork(void) {
    fill_environment();
    start("/bin/true");
    long before = pages();
    for (int turn = 0; turn < 50; turn++) start("/bin/true");
    say("%+ld pages\n", pages() - before);
    start("/nonexistent");
    before = pages();
    for (int turn = 0; turn < 50; turn++) start("/nonexistent");
    say("%+ld pages\n", pages() - before);
}

static void spawn(const char *program) {
    pid_t child;
    int error = posix_spawn(&child, program, NULL, NULL, (char *[]){"true", NULL}, many);
    require(error == (strcmp(program, "/bin/true") == 0 ? 0 : ENOENT));
    require(error || waitpid(child, NULL, 0) == child);
}

static void spawn_program(void) { spawn("/bin/true"); }
static void spawn_nothing(void) { spawn("/nonexistent"); }
static void execute_nothing(void) {
    execve("/nonexistent", (char *[]){"true", NULL}, many);
    require(errno == ENOENT);
}
static void run_shell(void) { require(system("true") == 0); }
static void read_shell(void) {
    FILE *output = popen("true", "r");
    require(output && pclose(output) == 0);
}

/* Calls that return leave no memory in use, either. */
static void memory_of_calls(void) {
    static void (*const calls[])(void) = {spawn_program, spawn_nothing, execute_nothing, run_shell, read_shell};
    fill_environment();
    clean();
    for (size_t index = 0; index < sizeof calls / sizeof *calls; index++) {
        calls[index]();
        long before = pages();
        for (int turn = 0; turn < 50; turn++) calls[index]();
        say("%+ld pages\n", pages() - before);
    }
}

int main(int count, char **arguments) {
    require(count == 2);
    alarm(40);
    if (strcmp(arguments[1], "threads") == 0) while_a_command_runs();
    else if (strcmp(arguments[1], "quoting") == 0) quoting();
    else if (strcmp(arguments[1], "vfork") == 0) memory_of_vfork();
    else if (strcmp(arguments[1], "calls") == 0) memory_of_calls();
    else require(!"a case");
}
