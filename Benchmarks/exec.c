// exec ROUNDS NAME=LIBRARY...
//
// What a preloaded library adds to the start and end of a small program. Each round runs /bin/true once under
// every library, so that a noisy moment of the machine falls on all of them; the first NAME, which should be
// the one without a library, is what the others are compared with, round by round.
//
// Prints, for each: NAME, median nanoseconds, median of the nanoseconds added in each round.

#define _GNU_SOURCE
#include "bench.h"

#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

struct contestant {
    const char *name;
    char **environment;
    double *samples;
};

static char **environmentWithLibrary(const char *library) {
    size_t count = 0;
    while (environ[count]) count++;
    char **environment = allocate(count + 2, sizeof *environment);
    memcpy(environment, environ, count * sizeof *environment);
    if (*library && asprintf(&environment[count], "LD_PRELOAD=%s", library) < 0) fail("asprintf");
    return environment;
}

static double timeToRun(char **environment) {
    char *arguments[] = {"/bin/true", NULL};
    pid_t child;
    int status;
    int64_t start = nanoseconds();
    errno = posix_spawn(&child, arguments[0], NULL, NULL, arguments, environment);
    if (errno) fail("posix_spawn");
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    int64_t end = nanoseconds();
    errno = ECANCELED;
    if (status != 0) fail(arguments[0]);
    return (double)(end - start);
}

int main(int argc, char **argv) {
    if (argc < 3) return fprintf(stderr, "usage: exec ROUNDS NAME=LIBRARY...\n"), 2;
    size_t rounds = (size_t)positive(argv[1]), count = (size_t)argc - 2;
    unsetenv("LD_PRELOAD");

    struct contestant *contestants = allocate(count, sizeof *contestants);
    for (size_t i = 0; i < count; i++) {
        char *equals = strchr(argv[i + 2], '=');
        errno = EINVAL;
        if (!equals) fail(argv[i + 2]);
        *equals = 0;
        contestants[i] = (struct contestant){
            .name = argv[i + 2],
            .environment = environmentWithLibrary(equals + 1),
            .samples = allocate(rounds, sizeof(double)),
        };
        // The first run reads the library from disk.
        timeToRun(contestants[i].environment);
    }

    for (size_t round = 0; round < rounds; round++) {
        // Who runs first in a round differs, so that nobody always follows the same neighbour's leavings.
        for (size_t i = 0; i < count; i++) {
            struct contestant *contestant = &contestants[(i + round) % count];
            contestant->samples[round] = timeToRun(contestant->environment);
        }
    }

    double *added = allocate(rounds * count, sizeof *added);
    for (size_t i = 0; i < count; i++)
        for (size_t round = 0; round < rounds; round++)
            added[i * rounds + round] = contestants[i].samples[round] - contestants[0].samples[round];
    for (size_t i = 0; i < count; i++)
        printf("%s %.0f %.0f\n", contestants[i].name, median(contestants[i].samples, rounds),
               median(&added[i * rounds], rounds));
}
