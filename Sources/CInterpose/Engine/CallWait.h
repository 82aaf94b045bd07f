/* Waits before, or instead of, a call that would wait; pending connections advance meanwhile. */
#pragma once

#include "Interpose.h"

/* Waits for the events of a descriptor until a time (see Durations.h). Unless it `may_be_alone`, it waits only while
 * there are other connections to advance. Returns 0 if the call is over, with `errno` set. */
int wait_until_ready(int fd, short events, int64_t end, int may_be_alone);
