/* What would become of a program if this process, or a child of it, started it now. */
#pragma once

#include "Executable.h"

enum program_reach {
    /* The library is loaded there. */
    PROGRAM_REACHED,
    /* Nothing tells beforehand: a format that the kernel has another program for (binfmt_misc), or none; the dynamic
     * linker, called as a command; a file that cannot be looked at now. */
    PROGRAM_UNCERTAIN,
    /* It may be executed, and not be read. */
    PROGRAM_UNREADABLE,
    /* As of enum executable_format. */
    PROGRAM_GO,
    PROGRAM_OTHER_LIBC,
    PROGRAM_STATIC,
    PROGRAM_OTHER_WORD_SIZE,
    PROGRAM_OTHER_MACHINE,
    /* This process acts for another user or group than its own, so that the linker preloads nothing (ld.so(8),
     * secure-execution mode). */
    PROGRAM_SECURE,
    /* It runs with rights that this process does not have, and therefore without the library. */
    PROGRAM_SET_USER_ID,
    PROGRAM_SET_GROUP_ID,
    PROGRAM_CAPABILITIES,
};

struct program {
    enum program_reach reach;
    /* Where it is a script: the program that runs it. Else empty. */
    char interpreter[EXECUTABLE_LINE];
};

/* Judges the program that execveat(2) would start. The arguments are that call's. 0, or the negative error with which
 * it fails. */
int program_look(int directory, const char *_Nonnull path, int flags, struct program *_Nonnull program);

/* Whether the library is certainly not loaded there. */
static inline int program_is_certain(enum program_reach reach) {
    return reach > PROGRAM_UNREADABLE;
}

static inline int program_raises_rights(enum program_reach reach) {
    return reach >= PROGRAM_SET_USER_ID;
}

/* Why the library is not loaded there, in words that follow the program's name; NULL where it is, or may be. */
const char *_Nullable program_reason(enum program_reach reach);
/* What its user can do so that it goes through the proxy; likewise. */
const char *_Nullable program_advice(enum program_reach reach);
