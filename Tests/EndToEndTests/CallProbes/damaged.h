/* Children that find nonsense in memory which processes share: none is to be ended by it, nor to go on without end. */
#pragma once

#include "probe.h"

#include <signal.h>

/* How many a signal has ended, and how many had not ended in the time that is enough for all that many times over. */
static int ended, endless;

/* Before the first of them. */
unused static void expect_children(void) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    require(sigprocmask(SIG_BLOCK, &ends, NULL) == 0);
}

/* The exit status of a child; -1, and a word of what it had found, where it has none. */
unused static int status_of(pid_t child, const char *what) {
    enum { SECONDS = 30 };
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    struct timespec limit = {SECONDS, 0};
    int status = 0, is_endless = sigtimedwait(&ends, NULL, &limit) < 0;
    if (is_endless) kill(child, SIGKILL);
    require(waitpid(child, &status, 0) == child);
    if (is_endless) {
        say("%s: no end\n", what);
        endless++;
        return -1;
    }
    if (WIFSIGNALED(status)) {
        say("%s: signal %d\n", what, WTERMSIG(status));
        ended++;
        return -1;
    }
    return WEXITSTATUS(status);
}

/* The first file of a table that is mapped. */
unused static int open_table(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[600], *path = NULL;
    require(maps);
    while (!path && fgets(line, sizeof line, maps)) path = strstr(line, "/socksify-") ? strchr(line, '/') : NULL;
    fclose(maps);
    require(path);
    path[strcspn(path, "\n")] = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    require(fd >= 0);
    return fd;
}
