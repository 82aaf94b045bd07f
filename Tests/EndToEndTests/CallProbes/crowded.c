/* crowded PROGRAM HOST PORT: starts `PROGRAM blocking HOST PORT 1` with a very long environment and long variables. */
#include "probe.h"

enum { VARIABLES = 5000 };

int main(int count, char **arguments) {
    require(count == 4);
    static char *environment[VARIABLES + 2];
    for (int index = 0; index < VARIABLES; index++)
        require(asprintf(&environment[index], "VARIABLE_%d=%0*d", index, 200, index) > 0);
    require(asprintf(&environment[VARIABLES], "LONG=%0*d", 100000, 7) > 0);
    execle(arguments[1], arguments[1], "blocking", arguments[2], arguments[3], "1", NULL, environment);
    say("not started: %s\n", outcome(-1));
}
