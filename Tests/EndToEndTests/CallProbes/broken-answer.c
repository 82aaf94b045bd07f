/* broken-answer ADDRESS ANSWER...: connects through a proxy that answers each message with these bytes, in
 * hexadecimal digits, and then closes the connection. The proxy is the probe itself, at port 1080 of ADDRESS. */
#include "probe.h"

static int listening;
static char **answers;

static void answer(int fd, const char *digits) {
    unsigned char bytes[64];
    size_t length = strlen(digits) / 2;
    require(length <= sizeof bytes);
    for (size_t index = 0; index < length; index++) require(sscanf(digits + 2 * index, "%2hhx", &bytes[index]) == 1);
    require(write(fd, bytes, length) == (ssize_t)length);
}

static void *serve(void *nothing) {
    int fd = accept_client(listening);
    char message[1024];
    for (; *answers; answers++) {
        require(read(fd, message, sizeof message) > 0);
        answer(fd, *answers);
    }
    /* The program may already have closed the connection. */
    shutdown(fd, SHUT_WR);
    return nothing;
}

int main(int count, char **arguments) {
    require(count >= 3);
    alarm(20);
    signal(SIGPIPE, SIG_IGN);
    address own, target = numeric("203.0.113.10", "80");
    listening = listener(arguments[1], "1080", &own);
    answers = arguments + 2;
    pthread_t thread;
    require(pthread_create(&thread, NULL, serve, NULL) == 0);
    int fd = stream(&target);
    say("connect %s\n", outcome(connect(fd, &target.any, target.length)));
    require(pthread_join(thread, NULL) == 0);
}
