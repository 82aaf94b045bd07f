/* dead-time CASE ADDRESS SECONDS: how long the library avoids a proxy that has failed; by the clock that the probe
 * sets, SECONDS. The probe is both proxies of the list, at ports 1080 and 1081 of ADDRESS. It prints the proxies
 * that each connection asked, and the result. */
#include "clock.h"

#include <spawn.h>

static struct proxy {
    const char *name, *port;
    int listening;
    /* A faulty proxy closes each connection. */
    atomic_bool works;
} proxies[] = {{"first", "1080", -1, 0}, {"second", "1081", -1, 0}};

static const char *own_path, *host;
static char asked[64];

static void *serve(void *argument) {
    struct proxy *proxy = argument;
    while (proxy->listening >= 0) {
        int client = accept_client(proxy->listening);
        strcat(strcat(asked, asked[0] ? ", " : ""), proxy->name);
        if (proxy->works) {
            answer_greeting(client);
            answer_request(client, 0);
        }
        close(client);
    }
    return NULL;
}

static const char *connect_once(void) {
    address destination = numeric("203.0.113.10", "80");
    int fd = stream(&destination);
    const char *result = outcome(connect(fd, &destination.any, destination.length));
    close(fd);
    return result;
}

static void travel(const char *when, int first_works, int second_works) {
    asked[0] = 0;
    proxies[0].works = first_works;
    proxies[1].works = second_works;
    const char *result = connect_once();
    say("%s: %s: %s\n", when, asked, result);
}

/* The same in another program, whose clock has another time. */
static void travel_as_another(const char *when, long ahead) {
    asked[0] = 0;
    proxies[0].works = 0;
    proxies[1].works = 1;
    char text[24];
    snprintf(text, sizeof text, "%ld", ahead);
    char *arguments[] = {(char *)own_path, "once", (char *)host, text, NULL};
    pid_t child;
    int status;
    require(posix_spawn(&child, own_path, NULL, NULL, arguments, environ) == 0);
    require(waitpid(child, &status, 0) == child && status == 0);
    say("%s: %s\n", when, asked);
}

int main(int count, char **arguments) {
    require(count == 4);
    own_path = arguments[0];
    host = arguments[2];
    const char *name = arguments[1];
    if (strcmp(name, "once") == 0) {
        move_clock(atol(arguments[3]));
        require(strcmp(connect_once(), "0") == 0);
        return 0;
    }
    long time = atol(arguments[3]) * 1000;
    for (struct proxy *proxy = proxies; proxy < proxies + 2; proxy++) {
        address own;
        pthread_t thread;
        proxy->listening = listener(host, proxy->port, &own);
        require(pthread_create(&thread, NULL, serve, proxy) == 0);
    }
    if (strcmp(name, "end") == 0) {
        travel("at first", 0, 1);
        move_clock(time - 1);
        travel("just before", 0, 1);
        move_clock(1);
        travel("at the end", 0, 1);
    } else if (strcmp(name, "end-for-others") == 0) {
        travel_as_another("at first", 0);
        travel_as_another("just before", time - 1);
        travel_as_another("at the end", time);
    } else {
        require(strcmp(name, "answer") == 0);
        travel("at first", 0, 0);
        /* All proxies have failed, so the library asks them in their order. */
        travel("then", 0, 1);
        travel("after an answer", 0, 1);
    }
}
