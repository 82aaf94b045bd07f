/* pending-chain CASE ADDRESS: the hop whose failure keeps a chain from being built. The probe is three proxies, at
 * ports 1080 to 1082 of ADDRESS. The library takes the working ones, in their order; the probe prints what each is
 * asked for. The library asks only the first for the second, and the first has no way to it. */
#include "pending.h"

static int first, third;
static connection f;

/* Answers a greeting, and prints the request that follows. */
static void hear_request(int client, const char *name) {
    unsigned char request[10];
    answer_greeting(client);
    require(read_all(client, request, 10) && memcmp(request, "\5\1\0\1", 4) == 0);
    say("the %s is asked for port %d\n", name, request[8] << 8 | request[9]);
}

static void accede(int client) { require(write(client, good_reply, 10) == 10); }

/* The first proxy is silent when it is asked for the second: the second is the dead one. */
static void *be_silent(void *nothing) {
    int client = accept_client(first);
    hear_request(client, "first");
    close(client);
    client = accept_client(first);
    hear_request(client, "first");
    accede(client);
    hear_request(client, "third");
    accede(client);
    f.far = client;
    return nothing;
}

/* The same, and then the first fails before any request: now the first is dead. */
static void *fail_then(void *nothing) {
    unsigned char greeting[3];
    int client = accept_client(first);
    hear_request(client, "first");
    close(client);
    client = accept_client(first);
    require(read_all(client, greeting, 3));
    close(client);
    client = accept_client(third);
    hear_request(client, "third");
    accede(client);
    f.far = client;
    return nothing;
}

static void run_by(void *(*proxies)(void *)) {
    pthread_t thread;
    f = begin_pending(REACHED);
    require(pthread_create(&thread, NULL, proxies, NULL) == 0);
    struct pollfd entry = {f.fd, POLLOUT, 0};
    int count = poll(&entry, 1, -1);
    require(pthread_join(thread, NULL) == 0);
    say("poll %d %s\n", count, event_names(entry.revents));
    say_connected(&f, "");
}

static void silent(void) { run_by(be_silent); }
static void silent_then_failing(void) { run_by(fail_then); }

static const pending_case cases[] = {{"silent", silent}, {"silent-then-failing", silent_then_failing}, {0}};

int main(int count, char **arguments) {
    address at;
    require(count == 3);
    set_up(arguments);
    first = listening;
    third = listener(arguments[2], "1082", &at);
    run_case(cases, arguments[1]);
}
