/* pending-handed ADDRESS: a pending socket through proxies of every protocol. The probe is the proxies, at port 1080
 * of ADDRESS. Their answers come byte by byte, and after each byte another process continues. */
#include "pending.h"
#include "raw.h"

static connection f;

/* A process that has not seen the handshake since its beginning. */
static void drive_in_child(connection *nothing) {
    (void)nothing;
    int status;
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        drive_by_poll(&f);
        _exit(0);
    }
    /* A raw call, which the library does not see: its own wait would continue the pending handshakes. */
    require(raw(SYS_wait4, child, (long)&status, 0, 0, 0) == child);
    if (status != 0) say("a child ended with %d\n", status);
}

static void hear(const char *what, const char *bytes, size_t length) {
    char heard[128];
    await(&f, (int)length);
    require(length <= sizeof heard && read_all(f.far, heard, length));
    say("%s: %s\n", what, memcmp(heard, bytes, length) == 0 ? "as it should be" : "something else");
}

static void answer(const char *bytes, size_t length) {
    for (size_t index = 0; index < length; index++) {
        require(write(f.far, bytes + index, 1) == 1);
        if (index + 1 < length) drive_in_child(&f);
    }
}

#define HEAR(what, bytes) hear(what, bytes, sizeof bytes - 1)
#define ANSWER(bytes) answer(bytes, sizeof bytes - 1)

int main(int count, char **arguments) {
    require(count == 2);
    set_up((char *[]){NULL, NULL, arguments[1]});
    drive = drive_in_child;
    f = begin_pending(REACHED);
    reach(&f, REACHED);
    HEAR("methods", "\5\2\0\2");
    ANSWER("\5\2");
    HEAR("credentials", "\1\4user\4pass");
    ANSWER("\1\0");
    HEAR("request of SOCKS5", "\5\1\0\1\12\0\0\1\4\70");
    ANSWER("\5\0\0\1\0\0\0\0\0\0");
    HEAR("request of SOCKS4", "\4\1\37\220\12\0\0\2\0");
    ANSWER("\0\132\0\0\0\0\0\0");
    HEAR("request of HTTP", "CONNECT 203.0.113.10:80 HTTP/1.1\r\nHost: 203.0.113.10:80\r\n\r\n");
    ANSWER("HTTP/1.1 200 OK\r\nA: b\r\n\r\n");
    struct pollfd entry = {f.fd, POLLOUT, 0};
    say("poll %d", poll(&entry, 1, -1));
    say(" %s\n", event_names(entry.revents));
    say_connected(&f, "");
}
