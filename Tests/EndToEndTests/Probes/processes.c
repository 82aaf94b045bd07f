/* Probes of the calls that start programs, each with an environment that lacks everything. */
#include "probe.h"

extern char **environ;

/* METHOD PROGRAM ARGUMENT...: starts the program so, with an empty environment. */
static int start(int count, char **arguments) {
    const char *method = arguments[0], *program = arguments[1];
    char **words = arguments + 1;
    char *none[] = {NULL};
    char line[1024] = "";
    for (int index = 1; index < count; index++)
        strcat(strcat(line, index > 1 ? " " : ""), arguments[index]);

    if (!strcmp(method, "execve")) execve(program, words, none);
    if (!strcmp(method, "execve-null")) execve(program, words, NULL);
    if (!strcmp(method, "execvpe")) execvpe(program, words, none);
    if (!strcmp(method, "execle"))
        execle(program, words[0], words[1], words[2], words[3], words[4], (char *)NULL, none);
    if (!strcmp(method, "fexecve")) fexecve(open(program, O_RDONLY | O_CLOEXEC), words, none);
    if (!strcmp(method, "execveat")) execveat(AT_FDCWD, program, words, none, 0);
    if (!strcmp(method, "syscall")) syscall(SYS_execve, program, words, none);
    if (!strcmp(method, "posix_spawn") || !strcmp(method, "posix_spawnp")) {
        pid_t child;
        int code = !strcmp(method, "posix_spawn") ? posix_spawn(&child, program, NULL, NULL, words, none)
                                                  : posix_spawnp(&child, program, NULL, NULL, words, none);
        if (code) return printf("%s: %s\n", method, strerrorname_np(code)), 1;
        int status;
        waitpid(child, &status, 0);
        return WEXITSTATUS(status);
    }
    if (!strcmp(method, "vfork")) {
        pid_t child = vfork();
        if (!child) {
            execve(program, words, none);
            _exit(127);
        }
        int status;
        waitpid(child, &status, 0);
        return WEXITSTATUS(status);
    }

    // The others hand on `environ`.
    clearenv();
    if (!strcmp(method, "execv")) execv(program, words);
    if (!strcmp(method, "execvp")) execvp(program, words);
    if (!strcmp(method, "execl")) execl(program, words[0], words[1], words[2], words[3], words[4], (char *)NULL);
    if (!strcmp(method, "execlp")) execlp(program, words[0], words[1], words[2], words[3], words[4], (char *)NULL);
    if (!strcmp(method, "system")) return WEXITSTATUS(system(line));
    if (!strcmp(method, "popen")) {
        FILE *pipe = popen(line, "r");
        char buffer[256];
        while (fgets(buffer, sizeof buffer, pipe)) fputs(buffer, stdout);
        return WEXITSTATUS(pclose(pipe));
    }
    printf("%s: %s\n", method, result(-1));
    return 1;
}

const struct probe process_probes[] = {{"start", start}, {NULL}};
