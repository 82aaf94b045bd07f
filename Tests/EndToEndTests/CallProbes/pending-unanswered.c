/* pending-unanswered ADDRESS: a program that is connecting puts itself under a filter which refuses the question what a
 * socket is. Not a byte of the handshake is its own, nor does one of its own go into it. */
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
