/* datagram-unheard-epoll CASE ADDRESS: prints what an epoll reports about a socket that receives datagrams that are
 * not for the program. The proxy at port 1080 of ADDRESS and its relay are the probe itself. */
#include "pending-epoll.h"

#include "filter.h"
#include "unheard.h"

static int epoll;
static char **words;

static void ask(const char *what) { say("%s: %s\n", what, waiting(epoll, 0)); }

static void garbage(void) { send_from(relay, -1, "garbage"); }

static void answer(void) { send_from(relay, 0, "answer"); }

/* The epoll watches the socket before the first send. */
static void begin(unsigned events) {
    epoll = new_epoll();
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    require(fd >= 0);
    add(epoll, fd, events, "socket");
    open_association(0);
}

/* The receiving calls do not wait. */
static void stop_waiting(void) { require(fcntl(fd, F_SETFL, O_NONBLOCK) == 0); }

/* The thread that waits at the epoll reads all datagrams that the kernel has for the socket. */
static void wait_until_swept(void) {
    struct pollfd entry = {fd, POLLIN, 0};
    while (raw(SYS_poll, (long)&entry, 1, 0, 0, 0) > 0) sched_yield();
}

static void look(void) {
    garbage();
    ask("garbage");
    send_from(stranger, 0, "stranger");
    ask("a stranger's");
    send_from(relay, 1, "first ");
    ask("a fragment");
    send_from(relay, 0x82, "second");
    ask("the last fragment");
    take();
    garbage();
    answer();
    ask("an answer behind garbage");
}

static void level(void) {
    begin(EPOLLIN);
    look();
    ask("again");
    take();
    ask("nothing");
}

static void edge(void) {
    begin(EPOLLIN | EPOLLET);
    stop_waiting();
    look();
    ask("again");
    take();
    garbage();
    ask("garbage");
    answer();
    ask("an answer");
}

static void oneshot(void) {
    begin(EPOLLIN | EPOLLONESHOT);
    garbage();
    ask("garbage");
    garbage();
    ask("garbage");
    garbage();
    answer();
    ask("an answer behind garbage");
    take();
    answer();
    ask("used up");
    modify(epoll, fd, EPOLLIN | EPOLLET | EPOLLONESHOT, "again");
    ask("an answer");
    take();
    modify(epoll, fd, EPOLLIN | EPOLLONESHOT, "armed");
    garbage();
    ask("garbage");
    answer();
    ask("an answer");
}

static void exclusive(void) {
    begin(EPOLLIN | EPOLLEXCLUSIVE);
    look();
}

static void writable(void) {
    begin(EPOLLIN | EPOLLOUT);
    garbage();
    ask("garbage");
    answer();
    ask("an answer");
    take();
    modify(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLONESHOT, "socket");
    garbage();
    ask("garbage");
    answer();
    ask("used up");
}

/* However many datagrams come that are not for the program, the call keeps its time limit. */
static void deadline(void) {
    pthread_t other;
    struct epoll_event event;
    struct timespec limit = {0, 100000000};
    begin(EPOLLIN);
    require(pthread_create(&other, NULL, pester, NULL) == 0);
    say("epoll_wait %d\n", epoll_wait(epoll, &event, 1, 100));
    say("epoll_pwait %d\n", epoll_pwait(epoll, &event, 1, 100, NULL));
    say("epoll_pwait2 %d\n", epoll_pwait2(epoll, &event, 1, &limit, NULL));
    is_over = 1;
    require(pthread_join(other, NULL) == 0);
}

/* Datagrams that come while a call waits. */
static void *disturb(void *nothing) {
    for (int count = 0; count < 10; count++) {
        garbage();
        wait_until_swept();
    }
    answer();
    return nothing;
}

static void wait_disturbed(unsigned events) {
    pthread_t other;
    begin(events);
    require(pthread_create(&other, NULL, disturb, NULL) == 0);
    say("%s\n", waiting(epoll, -1));
    take();
    require(pthread_join(other, NULL) == 0);
}

static void waits(void) { wait_disturbed(EPOLLIN); }
static void waits_by_edge(void) { wait_disturbed(EPOLLIN | EPOLLET); }
static void waits_for_one(void) { wait_disturbed(EPOLLIN | EPOLLONESHOT); }

/* Several threads wait at one epoll before the socket has sent anything. */
static atomic_int is_answered, ended;
static unsigned events_of_threads;

static void *wait_for_answer(void *nothing) {
    for (;;) {
        char bytes[10];
        const char *text = waiting(epoll, -1);
        if (strcmp(text, "socket: IN") != 0) say_early("%s\n", text);
        if (!is_answered) say_early("an answer\n");
        if (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) break;
        if (events_of_threads & EPOLLONESHOT) modify(epoll, fd, events_of_threads, "socket");
    }
    ended++;
    return nothing;
}

static void by_threads(unsigned events) {
    pthread_t threads[2];
    events_of_threads = events;
    epoll = new_epoll();
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    require(fd >= 0);
    add(epoll, fd, events, "socket");
    for (int index = 0; index < 2; index++)
        require(pthread_create(&threads[index], NULL, wait_for_answer, NULL) == 0);
    open_association(0);
    for (int count = 0; count < 100; count++) {
        garbage();
        wait_until_swept();
    }
    is_answered = 1;
    for (int count = 1; count <= 2; count++) {
        answer();
        while (ended < count) sched_yield();
        if (events & EPOLLONESHOT) modify(epoll, fd, events, "socket");
    }
    for (int index = 0; index < 2; index++) require(pthread_join(threads[index], NULL) == 0);
    say("both\n");
}

static void threads(void) { by_threads(EPOLLIN); }
static void threads_by_edge(void) { by_threads(EPOLLIN | EPOLLET); }
static void threads_for_one(void) { by_threads(EPOLLIN | EPOLLONESHOT); }

/* An event whose data two descriptors share is always reported: it may be about the other descriptor. */
static void same_data(void) {
    int pipes[2];
    begin(EPOLLIN | EPOLLET);
    require(pipe(pipes) == 0);
    add(epoll, pipes[0], EPOLLIN | EPOLLET, "socket");
    require(write(pipes[1], "x", 1) == 1);
    garbage();
    ask("a pipe");
    ask("nothing");
}

/* An epoll has the descriptor of another one, which watched the socket. The library has not seen what the new one
 * watches. */
static void same_number(void) {
    int pipes[2];
    begin(EPOLLIN);
    require(pipe(pipes) == 0);
    int number = epoll, other = new_epoll();
    require(dup2(other, number) == number);
    struct epoll_event event = {EPOLLIN | EPOLLET, {.u64 = mark("socket")}};
    require(raw(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, pipes[0], (long)&event, 0) == 0);
    require(write(pipes[1], "x", 1) == 1);
    ask("a pipe");
}

/* A wait on an epoll that does not watch the socket makes no further system call. */
static void beside(void) {
    int pipes[2], status, other = new_epoll();
    begin(EPOLLIN);
    require(pipe(pipes) == 0);
    add(other, pipes[0], EPOLLIN, "pipe");
    garbage();
    if (fork() == 0) {
        allow_calls((int[]){SYS_epoll_wait, -1});
        tell(waiting(other, 1));
        tell(", and nothing else\n");
        raw(SYS_exit_group, 0, 0, 0, 0, 0);
    }
    require(wait(&status) > 0 && status == 0);
}

static void duplicate(void) {
    begin(EPOLLIN | EPOLLONESHOT);
    epoll = dup(epoll);
    garbage();
    ask("garbage");
    answer();
    ask("an answer");
}

static void shut(void) {
    struct pollfd entry = {0, POLLIN, 0};
    begin(EPOLLIN);
    entry.fd = fd;
    require(connect(fd, &target.any, target.length) == 0 && shutdown(fd, SHUT_RD) == 0);
    ask("shut down");
    say("poll %d\n", poll(&entry, 1, 0));
}

static void ask_nested(const char *what, int outer) {
    struct pollfd entry = {epoll, POLLIN, 0};
    int polled = poll(&entry, 1, 0);
    say("%s: poll %d, select %d, ", what, polled, selected(epoll));
    say("outer %s\n", waiting(outer, 0));
}

static void nested(void) {
    begin(EPOLLIN);
    int outer = new_epoll();
    add(outer, epoll, EPOLLIN, "epoll");
    garbage();
    ask_nested("garbage", outer);
    garbage();
    say("garbage: outer %s\n", waiting(outer, 0));
    garbage();
    say("garbage: select %d\n", selected(epoll));
    answer();
    ask_nested("an answer", outer);
    ask("inner");
}

static void forked(void) {
    int status;
    begin(EPOLLIN | EPOLLONESHOT);
    if (fork() == 0) {
        garbage();
        ask("garbage");
        answer();
        ask("an answer");
        _exit(0);
    }
    require(wait(&status) > 0 && status == 0);
}

/* ----- In an executed program that inherits all of it ----- */

static void execute(void) {
    char numbers[6][12];
    begin(EPOLLIN | EPOLLONESHOT);
    int given[] = {fd, epoll, relay, ntohs(client.v4.sin_port)};
    require(fcntl(epoll, F_SETFD, 0) == 0);
    for (int index = 0; index < 4; index++) sprintf(numbers[index], "%d", given[index]);
    sprintf(numbers[4], "%u", (unsigned)(mark("socket") >> 32));
    sprintf(numbers[5], "%u", (unsigned)mark("socket"));
    execl("/proc/self/exe", words[0], "executed", words[2], numbers[0], numbers[1], numbers[2], numbers[3],
          numbers[4], numbers[5], NULL);
}

static void executed(void) {
    fd = atoi(words[3]);
    epoll = atoi(words[4]);
    relay = atoi(words[5]);
    client = numeric("127.0.0.1", words[6]);
    marks[0].name = "socket";
    marks[0].data = strtoull(words[7], NULL, 10) << 32 | strtoull(words[8], NULL, 10);
    garbage();
    ask("garbage");
    garbage();
    ask("garbage");
    answer();
    ask("an answer");
    take();
}

int main(int count, char **arguments) {
    static const pending_case cases[] = {
        {"level", level}, {"edge", edge}, {"oneshot", oneshot}, {"exclusive", exclusive}, {"writable", writable},
        {"deadline", deadline}, {"waits", waits}, {"waits-by-edge", waits_by_edge}, {"waits-for-one", waits_for_one},
        {"threads", threads}, {"threads-by-edge", threads_by_edge}, {"threads-for-one", threads_for_one},
        {"same-data", same_data}, {"same-number", same_number}, {"beside", beside}, {"duplicate", duplicate},
        {"shut", shut}, {"nested", nested}, {"forked", forked}, {"execute", execute}, {"executed", executed}, {0},
    };
    require(count >= 3);
    words = arguments;
    if (count == 3) set_up(arguments);
    run_case(cases, arguments[1]);
}
