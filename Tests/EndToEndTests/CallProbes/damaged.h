/* Children that find damage in memory that processes share: it must not end a child, nor keep one from ending. */
#pragma once

#include "probe.h"

#include <signal.h>

/* The number of children that a signal ended, and of those that did not end within a time that is enough for many
 * runs. */
static int ended, endless;

/* Runs before the first child. */
unused static void expect_children(void) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    require(sigprocmask(SIG_BLOCK, &ends, NULL) == 0);
}

/* The exit status of a child; -1, and a line about the damage that it found, if it has none. */
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

/* The first mapped file of a table. */
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
