/* Whether a program would load the library if this process, or its child, started it now. */
#pragma once

#include "Executable.h"

enum program_reach {
    /* It loads the library. */
    PROGRAM_REACHED,
    /* Unknown beforehand: a format for binfmt_misc, or an unknown one; the dynamic linker as a command; a file that
     * cannot be examined now. */
    PROGRAM_UNCERTAIN,
    /* It can be executed but not read. */
    PROGRAM_UNREADABLE,
    /* As of enum executable_format. */
    PROGRAM_GO,
    PROGRAM_OTHER_LIBC,
    PROGRAM_STATIC,
    PROGRAM_OTHER_WORD_SIZE,
    PROGRAM_OTHER_MACHINE,
    /* The effective user or group of this process differs from the real one, so that the linker preloads nothing
     * (ld.so(8), secure-execution mode). */
    PROGRAM_SECURE,
    /* It runs with additional rights, and therefore without the library. */
    PROGRAM_SET_USER_ID,
    PROGRAM_SET_GROUP_ID,
    PROGRAM_CAPABILITIES,
};

struct program {
    enum program_reach reach;
    /* The interpreter of a script; otherwise empty. */
    char interpreter[EXECUTABLE_LINE];
};

/* Examines the program that execveat(2) would start, with that call's arguments. 0, or the negative error with which
 * the call fails. */
int program_look(int directory, const char *_Nonnull path, int flags, struct program *_Nonnull program);

/* Whether the program certainly does not load the library. */
static inline int program_is_certain(enum program_reach reach) {
    return reach > PROGRAM_UNREADABLE;
}

static inline int program_raises_rights(enum program_reach reach) {
    return reach >= PROGRAM_SET_USER_ID;
}

/* Why the program does not load the library, as text after its name; NULL if it does, or may. */
const char *_Nullable program_reason(enum program_reach reach);
/* What the user can do to have it use the proxy; NULL likewise. */
const char *_Nullable program_advice(enum program_reach reach);
