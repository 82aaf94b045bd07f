/* The ways in which a process ends. */
#include "Interpose.h"

#include <stdlib.h>
#include <unistd.h>

/* The end of a child of vfork changes nothing for its parent. */
static void end(void) {
    if (!process_is_confined() && process_is_own() && environment_may_have_table()) socksify_end();
}

/* Sends the datagrams that wait for their association. */
__attribute__((destructor)) static void settle(void) {
    if (relayed_any(pending_word()) || internal_any()) socksify_settle();
}

/* Runs after the other destructors of this library. */
__attribute__((destructor(101))) static void end_of_program(void) {
    end();
}

/* Runs no destructors. */
void _exit(int status) {
    end();
    REAL(_exit)(status);
    __builtin_unreachable();
}

void _Exit(int status) {
    _exit(status);
}
