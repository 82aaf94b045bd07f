/* pending-chain CASE ADDRESS: whose failure it is that a chain of proxies does not come about. The probe is three
 * proxies, at ports 1080 to 1082 of ADDRESS, of which the library takes those that are alive, in their order; it says
 * what each is asked for. The second is asked for through the first alone, which has no way to it. */
#include "pending.h"

static int first, third;
static connection f;

/* Answers a greeting, and says what is asked for then. */
static void hear_request(int client, const char *name) {
    unsigned char request[10];
    answer_greeting(client);
    require(read_all(client, request, 10) && memcmp(request, "\5\1\0\1", 4) == 0);
    say("the %s is asked for port %d\n", name, request[8] << 8 | request[9]);
}

static void accede(int client) { require(write(client, good_reply, 10) == 10); }

/* The first says nothing when it is asked for the second: that is the dead one. */
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

/* The same, and then it fails before it is asked for anything: now it is dead itself. */
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
