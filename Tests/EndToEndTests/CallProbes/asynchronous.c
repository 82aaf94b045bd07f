/* asynchronous: getaddrinfo_a(3), with every way to learn of its end. */
#include "names.h"

#include <semaphore.h>

static sem_t told;
static volatile sig_atomic_t value;

static void on_signal(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    value = info->si_code == SI_ASYNCNL ? info->si_value.sival_int : -1;
    sem_post(&told);
}

static void on_thread(union sigval given) {
    value = given.sival_int;
    sem_post(&told);
}

static void wait_told(const char *what) {
    while (sem_wait(&told) != 0) continue;
    say("%s: told %d\n", what, (int)value);
}

static struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
static struct gaicb requests[3];
static struct gaicb *list[4];

static void prepare(void) {
    const char *names[3] = {"web.test", "127.0.0.1", "a..b"};
    for (int index = 0; index < 3; index++) {
        requests[index] = (struct gaicb){.ar_name = names[index], .ar_service = "80", .ar_request = &hints};
        list[index] = &requests[index];
    }
    list[3] = NULL;
}

static void conclude(const char *what) {
    for (int index = 0; index < 3; index++) {
        /* Waits for the request that is not done yet. */
        const struct gaicb *one[1] = {list[index]};
        while (gai_error(list[index]) == EAI_INPROGRESS) gai_suspend(one, 1, NULL);
        say("%s: %s %s\n", what, list[index]->ar_name, code_name(gai_error(list[index])));
        if (gai_error(list[index]) == 0) {
            say_list(list[index]->ar_result);
            freeaddrinfo(list[index]->ar_result);
        }
    }
}

int main(void) {
    sem_init(&told, 0, 0);
    prepare();
    say("wait: %s\n", code_name(getaddrinfo_a(GAI_WAIT, list, 4, NULL)));
    conclude("wait");

    prepare();
    say("no wait: %s\n", code_name(getaddrinfo_a(GAI_NOWAIT, list, 4, NULL)));
    conclude("no wait");

    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    require(sigaction(SIGRTMIN + 1, &action, NULL) == 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 42};
    prepare();
    say("signal: %s\n", code_name(getaddrinfo_a(GAI_NOWAIT, list, 4, &event)));
    wait_told("signal");
    conclude("signal");

    struct sigevent thread = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 43};
    thread.sigev_notify_function = on_thread;
    prepare();
    say("thread: %s\n", code_name(getaddrinfo_a(GAI_NOWAIT, list, 4, &thread)));
    wait_told("thread");
    conclude("thread");
    say("bad mode: %s\n", code_name(getaddrinfo_a(77, list, 4, NULL)));
}
