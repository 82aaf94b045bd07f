/* forked CASE WAY ADDRESS: children from other calls than fork(2), with connections through the proxy at that
 * address, which is the probe itself. */
#include "pending.h"

#include <dlfcn.h>
#include <glob.h>
#include <sched.h>

static const char *way;
static void (*child_body)(void *);
static void *child_argument;

static int run_child(void *unused_argument) {
    (void)unused_argument;
    child_body(child_argument);
    _exit(0);
}

static pid_t start(void (*body)(void *), void *argument) {
    static char stack[1 << 18] __attribute__((aligned(16)));
    child_body = body, child_argument = argument;
    pid_t child = -1;
    if (strcmp(way, "fork") == 0) child = fork();
    if (strcmp(way, "_Fork") == 0) child = _Fork();
#ifdef SYS_fork
    if (strcmp(way, "SYS_fork") == 0) child = (pid_t)syscall(SYS_fork);
#endif
    if (strcmp(way, "SYS_clone") == 0) child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (strcmp(way, "clone") == 0) child = clone(run_child, stack + sizeof stack, SIGCHLD, NULL);
    require(child >= 0);
    if (child == 0) run_child(NULL);
    return child;
}

static void await_end(pid_t child) {
    int status;
    require(waitpid(child, &status, 0) == child);
    if (status != 0) say("the child ended with %d\n", status);
}

/* ----- More connections than the table has slots, each closed while pending ----- */

static int begin_and_close(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    require(fd >= 0);
    int error = connect(fd, &target.any, target.length) == 0 ? 0 : errno;
    require(close(fd) == 0);
    return error;
}

static void begin_many(void *unused_argument) {
    (void)unused_argument;
    for (int index = 0; index < 17000; index++) {
        int error = begin_and_close();
        if (error == EINPROGRESS) continue;
        say("the child's %dth: %s\n", index + 1, strerrorname_np(error));
        return;
    }
    say("as many as it likes\n");
}

static void many(void) {
    require(begin_and_close() == EINPROGRESS);
    await_end(start(begin_many, NULL));
    say("then the parent's: %s\n", strerrorname_np(begin_and_close()));
}

/* ----- A connection that the parent leaves to its child ----- */

static void go_on(void *argument) {
    connection *f = argument;
    char byte;
    require(read(filler, &byte, 1) == 1);
    struct pollfd entry = {f->fd, POLLOUT, 0};
    say("poll %d", poll(&entry, 1, -1));
    say(" %s, error %s\n", event_names(entry.revents), error_of(f->fd));
    require(write(f->fd, "child", 5) == 5);
}

static void left(void) {
    connection f = begin_pending(REACHED);
    reach(&f, REACHED);
    int pair[2];
    require(pipe(pair) == 0);
    filler = pair[0];
    pid_t child = start(go_on, &f);
    require(close(f.fd) == 0 && write(pair[1], "x", 1) == 1);
    drive = NULL;
    reach(&f, HALF);
    establish(&f, "");
    char bytes[8] = "";
    require(read_all(f.far, bytes, 5));
    say("heard %s\n", bytes);
    await_end(child);
}

/* ----- A child, while another thread looks the proxy's name up ----- */

struct question {
    unsigned char bytes[512];
    ssize_t length;
    struct sockaddr_in from;
};

static int name_server;
static struct in_addr found;

static struct question next_question(void) {
    struct question question;
    socklen_t length = sizeof question.from;
    question.length = recvfrom(name_server, question.bytes, sizeof question.bytes, 0,
                               (struct sockaddr *)&question.from, &length);
    require(question.length > 12);
    return question;
}

/* Every name has an IPv4 address, and no other records. */
static void answer(const struct question *question) {
    unsigned char message[600];
    size_t end = 12;
    while (question->bytes[end]) end += question->bytes[end] + 1;
    end += 5;
    int is_ipv4 = question->bytes[end - 3] == 1;
    memcpy(message, question->bytes, end);
    memcpy(message + 2, (unsigned char[]){0x81, 0x80, 0, 1, 0, (unsigned char)is_ipv4, 0, 0, 0, 0}, 10);
    memcpy(message + end, (unsigned char[]){0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4}, 12);
    memcpy(message + end + 12, &found, 4);
    size_t length = is_ipv4 ? end + 16 : end;
    require(sendto(name_server, message, length, 0, (const struct sockaddr *)&question->from, sizeof question->from) ==
            (ssize_t)length);
}

static void *answer_all(void *nothing) {
    for (;;) {
        struct question question = next_question();
        answer(&question);
    }
    return nothing;
}

static void *begin_in_thread(void *error) {
    *(int *)error = begin_and_close();
    return NULL;
}

static void begin_in_child(void *unused_argument) {
    (void)unused_argument;
    say("the child: %s\n", strerrorname_np(begin_and_close()));
}

/* The child has no thread that could finish the parent's look-up, so it starts its own. */
static void looking_up(void) {
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = found};
    name_server = socket(AF_INET, SOCK_DGRAM, 0);
    require(name_server >= 0 && bind(name_server, (struct sockaddr *)&here, sizeof here) == 0);
    pthread_t thread, server;
    int error;
    require(pthread_create(&thread, NULL, begin_in_thread, &error) == 0);
    struct question questions[16];
    size_t count = 1;
    questions[0] = next_question();
    pid_t child = start(begin_in_child, NULL);
    do questions[count] = next_question();
    while (questions[count++].from.sin_port == questions[0].from.sin_port && count < 16);
    say("the child asks, too\n");
    for (size_t index = 0; index < count; index++) answer(&questions[index]);
    require(pthread_create(&server, NULL, answer_all, NULL) == 0);
    await_end(child);
    require(pthread_join(thread, NULL) == 0);
    say("the thread: %s\n", strerrorname_np(error));
}

/* ----- A child that shares this memory and has no thread-local variables ----- */

/* The probe's own _exit(2), which records descriptors, needs such variables. */
static void (*end_only)(int);

static int end_at_once(void *unused_argument) {
    (void)unused_argument;
    end_only(3);
    return 0;
}

static size_t table_count(void) {
    glob_t found;
    char pattern[100];
    snprintf(pattern, sizeof pattern, "/dev/shm/socksify-*/socksify-%d-*", getpid());
    size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    globfree(&found);
    return count;
}

/* Chromium's sandbox makes such a child. It must not close the parent's connections. */
static void without_storage(void) {
    static char stack[1 << 16] __attribute__((aligned(16)));
    static uintptr_t storage[1 << 12] __attribute__((aligned(64)));
    end_only = (void (*)(int))dlsym(RTLD_DEFAULT, "_exit");
    for (int turn = 0; turn < 3; turn++) {
        memset(storage, turn == 1 ? 0 : 0x7e, sizeof storage);
        int status = -1;
        pid_t child = clone(end_at_once, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_SETTLS | SIGCHLD, NULL,
                            NULL, storage + (1 << 11), NULL);
        require(child > 0 && waitpid(child, &status, 0) == child);
        say("the child ended with %x, tables %zu\n", status, table_count());
        if (turn == 0) say("the parent: %s\n", strerrorname_np(begin_and_close()));
    }
}

int main(int count, char **arguments) {
    require(count == 4);
    way = arguments[2];
    require(inet_pton(AF_INET, arguments[3], &found) == 1);
    set_up(((char *[]){arguments[0], arguments[1], arguments[3]}));
    run_case((pending_case[]){{"many", many}, {"left", left}, {"looking-up", looking_up},
                              {"without-storage", without_storage}, {0}}, arguments[1]);
}
