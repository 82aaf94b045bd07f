/* The end of the process, in its various ways. */
#include "Interpose.h"

#include <stdlib.h>
#include <unistd.h>

/* A child of vfork ends alone. */
static void end(void) {
    if (!process_is_confined() && process_is_own() && environment_may_have_table()) socksify_end();
}

/* What waits for its association is sent. */
__attribute__((destructor)) static void settle(void) {
    if (relayed_any(pending_word()) || internal_any()) socksify_settle();
}

/* After the other destructors of this library. */
__attribute__((destructor(101))) static void end_of_program(void) {
    end();
}

/* Without the destructors. */
void _exit(int status) {
    end();
    REAL(_exit)(status);
    __builtin_unreachable();
}

void _Exit(int status) {
    _exit(status);
}
