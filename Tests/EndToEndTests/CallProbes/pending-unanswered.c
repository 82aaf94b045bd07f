/* pending-unanswered ADDRESS: a program with a pending connection puts itself under a filter which refuses
 * getsockopt(2), by which the library asks what a socket is. The program receives no byte of the handshake, and
 * sends none into it. */
#include "pending.h"
#include "filter.h"

int main(int count, char **arguments) {
    char bytes[10];
    require(count == 2);
    set_up(((char *[]){arguments[0], "", arguments[1]}));
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    await(&f, 10);
    refuse_call(SYS_getsockopt);
    require(write(f.far, good_reply, 10) == 10);
    say("recv %s\n", outcome(recv(f.fd, bytes, sizeof bytes, 0)));
    say("read %s\n", outcome(read(f.fd, bytes, sizeof bytes)));
    say("send %s\n", outcome(send(f.fd, "data", 4, 0)));
    say("write %s\n", outcome(write(f.fd, "data", 4)));
    say("connect %s\n", connect_to_target(f.fd));
    say("getpeername %s\n", peer_of(f.fd));
    int there = -1;
    require(ioctl(f.far, FIONREAD, &there) == 0);
    say("the proxy has %d bytes\n", there);
}
