/* stack-life MODE PROXY PORT: the library's stacks after calls that never return. The probe is the proxy, and
 * listens at PROXY and PORT. */
#include "probe.h"

#include <setjmp.h>
#include <spawn.h>
#include <sys/time.h>
#include <ucontext.h>

enum { TIMES = 200, THREADS = 20 };

static int listening;
static address destination;

/* The number of private mappings, such as stacks. */
static int mapping_count(void) {
    int count = 0;
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "r");
    require(maps);
    while (fgets(line, sizeof line, maps)) count += strstr(line, "p 00000000 00:00 0") != NULL;
    fclose(maps);
    return count;
}

/* Whether the number of mappings has grown by a few at most. */
static const char *growth_since(int before) {
    return mapping_count() - before < THREADS ? "bounded" : "grows with the number of calls";
}

static void *serve(void *nothing) {
    int client = accept_client(listening);
    answer_greeting(client);
    answer_request(client, 0);
    require(write(client, "x", 1) == 1);
    return nothing;
}

static void say_connects(void) {
    pthread_t thread;
    char byte = 0;
    require(pthread_create(&thread, NULL, serve, NULL) == 0);
    int fd = stream(&destination);
    say("then: %s\n", outcome(connect(fd, &destination.any, destination.length)));
    say("byte %s\n", read(fd, &byte, 1) == 1 && byte == 'x' ? "received" : "lost");
    pthread_join(thread, NULL);
    close(fd);
}

/* ----- siglongjmp out of a handler ----- */

static sigjmp_buf out;

static void leave(int signal unused) { siglongjmp(out, 1); }

/* Deeper in the stack than the frame that was left. */
static __attribute__((noinline)) int stream_from_below(void) {
    volatile char below[1024] = {0};
    return stream(&destination) + below[0];
}

static void by_longjmp(void) {
    int before = mapping_count(), left = 0;
    struct sigaction action = {.sa_handler = leave};
    require(sigaction(SIGALRM, &action, NULL) == 0);
    for (volatile int turn = 0; turn < TIMES; turn++) {
        volatile int fd = stream_from_below();
        if (sigsetjmp(out, 1) == 0) {
            struct itimerval soon = {.it_value = {0, 1000}};
            require(setitimer(ITIMER_REAL, &soon, NULL) == 0);
            connect(fd, &destination.any, destination.length);
            say("connect came back: %s\n", outcome(-1));
        } else {
            left++;
        }
        close(fd);
        /* Closes the connection, whether or not it was accepted. */
        require(fcntl(listening, F_SETFL, O_NONBLOCK) == 0);
        for (int client; (client = accept(listening, NULL, NULL)) >= 0;) close(client);
        require(fcntl(listening, F_SETFL, 0) == 0);
    }
    say("left %d times\nmappings: %s\n", left, growth_since(before));
    say_connects();
}

/* ----- pthread_cancel ----- */

static int cancelled_fd;
static int cleaned;

static void clean_up(void *nothing unused) {
    sigset_t blocked;
    require(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
    cleaned += sigismember(&blocked, SIGUSR1) == 0 && sigismember(&blocked, SIGUSR2) == 1;
}

static void *connect_for_ever(void *nothing) {
    pthread_cleanup_push(clean_up, NULL);
    connect(cancelled_fd, &destination.any, destination.length);
    pthread_cleanup_pop(0);
    return nothing;
}

static void cancelled(void) {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    require(pthread_sigmask(SIG_BLOCK, &blocked, NULL) == 0);
    int before = mapping_count();
    for (int turn = 0; turn < TIMES; turn++) {
        pthread_t thread;
        cancelled_fd = stream(&destination);
        require(pthread_create(&thread, NULL, connect_for_ever, NULL) == 0);
        int client = accept_client(listening);
        unsigned char greeting[3];
        require(read_all(client, greeting, 3));
        require(pthread_cancel(thread) == 0 && pthread_join(thread, NULL) == 0);
        close(cancelled_fd);
        close(client);
    }
    say("cleaned up with the program's signals: %d\nmappings: %s\n", cleaned, growth_since(before));
    say_connects();
}

/* ----- A handler beside a call that waits ----- */

static volatile char *stack_start, *stack_end;
static volatile int fd_of_handler = -1;
static const char *volatile handler_stack, *volatile handler_signals, *volatile handler_result;

static void handle(int signal unused) {
    volatile char here;
    sigset_t blocked;
    require(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
    handler_stack = &here >= stack_start && &here < stack_end ? "the thread's" : "another";
    handler_signals = sigismember(&blocked, SIGINT) ? "blocked" : "the program's";
    handler_result = outcome(connect(fd_of_handler, &destination.any, destination.length));
}

/* The first client waits for its answer until the second, which a handler has made, is served. */
static void *serve_in_turn(void *thread) {
    int first = accept_client(listening);
    answer_greeting(first);
    require(pthread_kill(*(pthread_t *)thread, SIGUSR1) == 0);
    serve(NULL);
    answer_request(first, 0);
    require(write(first, "x", 1) == 1);
    return NULL;
}

static void nested(void) {
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    require(sigaction(SIGUSR1, &action, NULL) == 0);
    pthread_attr_t attributes;
    void *start;
    size_t size;
    require(pthread_getattr_np(pthread_self(), &attributes) == 0);
    require(pthread_attr_getstack(&attributes, &start, &size) == 0);
    stack_start = start;
    stack_end = stack_start + size;
    fd_of_handler = stream(&destination);
    pthread_t own = pthread_self(), thread;
    require(pthread_create(&thread, NULL, serve_in_turn, &own) == 0);
    int fd = stream(&destination);
    char byte = 0;
    say("outer: %s\n", outcome(connect(fd, &destination.any, destination.length)));
    say("byte %s\n", read(fd, &byte, 1) == 1 && byte == 'x' ? "received" : "lost");
    say("stack: %s\nsignals: %s\ninner: %s\n", handler_stack, handler_signals, handler_result);
    pthread_join(thread, NULL);
}

/* ----- Children while other threads wait ----- */

static void *connect_and_say(void *result) {
    int fd = stream(&destination);
    *(int *)result = connect(fd, &destination.any, destination.length);
    return NULL;
}

static void say_child(const char *how, pid_t child) {
    int status;
    require(child >= 0 && waitpid(child, &status, 0) == child);
    say("%s: %#x\n", how, status);
}

static int connects_in_child(void) {
    pid_t server = fork();
    if (server == 0) {
        serve(NULL);
        _exit(0);
    }
    int fd = stream(&destination), status;
    int result = connect(fd, &destination.any, destination.length);
    waitpid(server, &status, 0);
    return result != 0;
}

static void forked(void) {
    pthread_t threads[THREADS];
    int results[THREADS], clients[THREADS];
    /* All memory that one connection needs is there, except a stack. */
    say_connects();
    for (int index = 0; index < THREADS; index++) {
        require(pthread_create(&threads[index], NULL, connect_and_say, &results[index]) == 0);
        clients[index] = accept_client(listening);
        answer_greeting(clients[index]);
    }
    mapping_count();
    pid_t child = fork();
    if (child == 0) {
        int before = mapping_count(), result = connects_in_child();
        /* The child has copies of the stacks on which its parent's threads wait. */
        say("the child's mappings: %s\n", mapping_count() > before ? "more" : "the same");
        _exit(result);
    }
    say_child("fork", child);
    child = vfork();
    if (child == 0) {
        /* A shell makes these calls between the two. */
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        dup2(fd, 9);
        connect(9, &(struct sockaddr){AF_UNSPEC}, sizeof(struct sockaddr));
        close(9);
        close(fd);
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    say_child("vfork", child);
    require(posix_spawn(&child, "/bin/true", NULL, NULL, (char *[]){"true", NULL}, (char *[]){NULL}) == 0);
    say_child("posix_spawn", child);
    int succeeded = 0;
    for (int index = 0; index < THREADS; index++) {
        answer_request(clients[index], 0);
        pthread_join(threads[index], NULL);
        succeeded += results[index] == 0;
    }
    say("connected %d of %d\n", succeeded, THREADS);
}

/* ----- A coroutine ----- */

static ucontext_t outside, inside;
static int coroutine_result;

static void coroutine(void) {
    int fd = stream(&destination);
    coroutine_result = connect(fd, &destination.any, destination.length);
    close(fd);
}

static void in_coroutine(void) {
    enum { SIZE = 16384 };
    pthread_t thread;
    require(pthread_create(&thread, NULL, serve, NULL) == 0);
    require(getcontext(&inside) == 0);
    inside.uc_stack.ss_sp = malloc(SIZE);
    inside.uc_stack.ss_size = SIZE;
    inside.uc_link = &outside;
    makecontext(&inside, coroutine, 0);
    require(swapcontext(&outside, &inside) == 0);
    say("in a coroutine: %s\n", outcome(coroutine_result));
    pthread_join(thread, NULL);
}

int main(int count, char **arguments) {
    require(count == 4);
    address at;
    destination = numeric("203.0.113.10", "80");
    listening = listener(arguments[2], arguments[3], &at);
    if (strcmp(arguments[1], "longjmp") == 0) by_longjmp();
    if (strcmp(arguments[1], "cancel") == 0) cancelled();
    if (strcmp(arguments[1], "nested") == 0) nested();
    if (strcmp(arguments[1], "fork") == 0) forked();
    if (strcmp(arguments[1], "coroutine") == 0) in_coroutine();
}
