/* threads MODE HOST PORT: many threads connect at once. MODE: plain; fork, in which children of the busy process
 * connect, too. */
#include "probe.h"

enum { THREADS = 16, CONNECTIONS = 50, CHILDREN = 20 };

static address to;
static int succeeded, finished;

static void *connect_often(void *nothing) {
    for (int index = 0; index < CONNECTIONS; index++) {
        int fd = stream(&to);
        if (connect(fd, &to.any, to.length) == 0 && strcmp(echo(fd), "echoed") == 0)
            __atomic_add_fetch(&succeeded, 1, __ATOMIC_RELAXED);
        close(fd);
    }
    __atomic_add_fetch(&finished, 1, __ATOMIC_RELAXED);
    return nothing;
}

static int connect_in_child(void) {
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        int fd = stream(&to);
        if (connect(fd, &to.any, to.length) != 0) _exit(1);
        _exit(strcmp(echo(fd), "echoed") == 0 ? 0 : 2);
    }
    int status;
    require(waitpid(child, &status, 0) == child);
    return status == 0;
}

int main(int count, char **arguments) {
    require(count == 4);
    to = numeric(arguments[2], arguments[3]);
    int descriptors = descriptor_count(), children = 0;
    pthread_t threads[THREADS];
    for (int index = 0; index < THREADS; index++)
        require(pthread_create(&threads[index], NULL, connect_often, NULL) == 0);
    if (strcmp(arguments[1], "fork") == 0) {
        for (int index = 0; index < CHILDREN; index++) children += connect_in_child();
        say("children %d of %d\n", children, CHILDREN);
    }
    for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
    say("succeeded %d of %d\n", succeeded, THREADS * CONNECTIONS);
    say("descriptors %+d\n", descriptor_count() - descriptors);
}
