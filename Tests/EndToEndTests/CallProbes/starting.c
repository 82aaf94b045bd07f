/* starting CALL PROGRAM ARGUMENT...: starts the program by CALL with an empty environment, with only the variables
 * of PROBE_KEEP, one a line, or with NULL if PROBE_NO_ENVIRONMENT is set. Prints how the program ended, unless the
 * call does not return. */
#include "probe.h"

#include <spawn.h>

static char **arguments, **environment;
static const char *program;

static void start(const char *call) {
    if (strcmp(call, "execve") == 0) execve(program, arguments, environment);
    if (strcmp(call, "execv") == 0) execv(program, arguments);
    if (strcmp(call, "execvp") == 0) execvp(program, arguments);
    if (strcmp(call, "execvpe") == 0) execvpe(program, arguments, environment);
    if (strcmp(call, "execl") == 0)
        execl(program, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], NULL);
    if (strcmp(call, "execlp") == 0)
        execlp(program, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], NULL);
    if (strcmp(call, "execle") == 0)
        execle(program, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], NULL, environment);
    if (strcmp(call, "fexecve") == 0) fexecve(open(program, O_RDONLY), arguments, environment);
    if (strcmp(call, "execveat") == 0) execveat(AT_FDCWD, program, arguments, environment, 0);
    if (strcmp(call, "SYS_execve") == 0) syscall(SYS_execve, program, arguments, environment);
    if (strcmp(call, "SYS_execveat") == 0) syscall(SYS_execveat, AT_FDCWD, program, arguments, environment, 0);
}

static char *command(void) {
    static char line[4096];
    int length = 0;
    for (char **word = arguments; *word; word++)
        length += snprintf(line + length, sizeof line - (size_t)length, "%s ", word == arguments ? program : *word);
    return line;
}

int main(int count, char **given) {
    require(count >= 3);
    const char *call = given[1];
    program = given[2];
    arguments = given + 2;
    static char *kept[100];
    int number = 0;
    char *keep = getenv("PROBE_KEEP");
    for (char *line = keep ? strtok(strdup(keep), "\n") : NULL; line; line = strtok(NULL, "\n")) kept[number++] = line;
    environment = getenv("PROBE_NO_ENVIRONMENT") ? NULL : kept;
    clearenv();
    for (int index = 0; index < number; index++) putenv(kept[index]);

    pid_t child = -1;
    int status = -1;
    if (strcmp(call, "posix_spawn") == 0) {
        require(posix_spawn(&child, program, NULL, NULL, arguments, environment) == 0);
    } else if (strcmp(call, "posix_spawnp") == 0) {
        require(posix_spawnp(&child, program, NULL, NULL, arguments, environment) == 0);
    } else if (strcmp(call, "vfork") == 0) {
        child = vfork();
        if (child == 0) {
            execve(program, arguments, environment);
            _exit(98);
        }
    } else if (strcmp(call, "system") == 0) {
        status = system(command());
        say("environment %s\n", environ && environ[0] ? "changed" : "still empty");
        say("status %d\n", status);
        return 0;
    } else if (strcmp(call, "popen") == 0) {
        char line[300];
        FILE *pipe = popen(command(), "r");
        require(pipe);
        while (fgets(line, sizeof line, pipe)) say("%s", line);
        say("environment %s\n", environ && environ[0] ? "changed" : "still empty");
        say("status %d\n", pclose(pipe));
        return 0;
    } else {
        start(call);
        say("not started: %s\n", outcome(-1));
        return 1;
    }
    require(waitpid(child, &status, 0) == child);
    say("status %d\n", status);
    return 0;
}
