/* select(2) by poll(2); pending connections advance meanwhile. */
#pragma once

#include <sys/select.h>

#include "Interpose.h"

struct select_call {
    fd_set *_Nullable sets[3];
    int end_of_sets;
    nfds_t count;
    /* See Durations.h. */
    int64_t end;
    const sigset_t *_Nullable signals;
};

/* Whether any descriptor of the sets may be pending, or misjudged; counts all of them. */
int select_is_concerned(struct select_call *_Nonnull call);

/* Waits, and leaves the ready descriptors in the sets. */
int select_pending(struct select_call *_Nonnull call);
