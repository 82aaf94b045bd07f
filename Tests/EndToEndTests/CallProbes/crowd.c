/* crowd: many threads look up names, some of them the same; every address must lead back to its name. */
#include "names.h"

enum { THREADS = 16, NAMES = 400 };

static pthread_barrier_t barrier;
static int wrong;

static void *look_up(void *number) {
    long thread = (long)number;
    pthread_barrier_wait(&barrier);
    for (int index = 0; index < NAMES; index++) {
        char name[40], back[NI_MAXHOST];
        int is_shared = index % 2;
        snprintf(name, sizeof name, "host%d-%ld.test", index, is_shared ? 0 : thread);
        struct addrinfo hints = {.ai_family = index % 4 < 2 ? AF_INET : AF_INET6, .ai_socktype = SOCK_STREAM}, *list;
        if (getaddrinfo(name, "80", &hints, &list) != 0 ||
            getnameinfo(list->ai_addr, list->ai_addrlen, back, sizeof back, NULL, 0, NI_NAMEREQD) != 0 ||
            strcmp(name, back) != 0)
            __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (long index = 0; index < THREADS; index++)
        require(pthread_create(&threads[index], NULL, look_up, (void *)index) == 0);
    for (int index = 0; index < THREADS; index++) pthread_join(threads[index], NULL);
    say("wrong %d\n", wrong);

    char text[2][80];
    for (int index = 0; index < 2; index++) {
        struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
        require(getaddrinfo(index == 0 ? "Same.test" : "sAME.test.", "80", &hints, &list) == 0);
        snprintf(text[index], sizeof text[index], "%s", text_of(list->ai_addr));
        freeaddrinfo(list);
    }
    say("%s\n", strcmp(text[0], text[1]) == 0 ? "same name, same address" : "same name, other address");
}
