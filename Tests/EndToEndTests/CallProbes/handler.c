/* handler HOST PORT: a signal handler connects while the interrupted thread is in the allocator. The handler's
 * connection is the first of the process. */
#include "probe.h"

#include <semaphore.h>

enum { SIGNALS = 100 };

static address to;
static sem_t done;
static volatile sig_atomic_t handled, succeeded;

static void handle(int signal) {
    (void)signal;
    int before = errno;
    int fd = socket(to.any.sa_family, SOCK_STREAM, 0);
    if (connect(fd, &to.any, to.length) == 0) succeeded = succeeded + 1;
    close(fd);
    handled = handled + 1;
    errno = before;
    sem_post(&done);
}

static void *signal_often(void *thread) {
    for (int index = 0; index < SIGNALS; index++) {
        pthread_kill(*(pthread_t *)thread, SIGUSR1);
        while (sem_wait(&done) != 0) continue;
    }
    return NULL;
}

int main(int count, char **arguments) {
    require(count == 3);
    to = numeric(arguments[1], arguments[2]);
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    pthread_t own = pthread_self(), thread;
    sem_init(&done, 0, 0);
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    require(pthread_create(&thread, NULL, signal_often, &own) == 0);
    void *volatile memory[64] = {0};
    for (unsigned index = 0; handled < SIGNALS; index++) {
        free(memory[index % 64]);
        memory[index % 64] = malloc(16 + index % 3000);
    }
    pthread_join(thread, NULL);
    say("succeeded %d of %d\n", (int)succeeded, SIGNALS);
}
