/* Waits before, or instead of, a call that would wait; pending connections advance meanwhile. */
#pragma once

#include "Interpose.h"

/* The time at which the socket's limit ends a call that begins now (socket(7), SO_RCVTIMEO, SO_SNDTIMEO); `flags` as of
 * socksify_prepare_io(). */
int64_t end_of_call(int fd, unsigned flags);

/* Waits for the events of a descriptor until a time (see Durations.h). Unless it `may_be_alone`, it waits only while
 * there are other connections to advance. Returns 0 if the call is over, with `errno` set. */
int wait_until_ready(int fd, short events, int64_t end, int may_be_alone);
