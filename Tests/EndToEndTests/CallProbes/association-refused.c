/* association-refused ask HOST PORT AHEAD: sends datagrams through a proxy that refuses the association; the last
 * ones AHEAD milliseconds after the others, by the clock that the probe sets. */
#include "clock.h"
#include "datagram.h"

static const char *sent(int flags) {
    return outcome(sendto(unconnected(), "x", 1, flags, &far.any, far.length));
}

static void ask(char **arguments) {
    say("first: %s\n", sent(0));
    move_clock(atol(arguments[0]));
    say("sendto: %s\n", sent(0));
    say("MSG_DONTWAIT: %s\n", sent(MSG_DONTWAIT));
    say("connect: %s\n", outcome(connect(unconnected(), &far.any, far.length)));
}

SCENARIOS({"ask", ask})
