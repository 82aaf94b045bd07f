/* Waits before a call that waits itself, or in its place; what is pending goes on meanwhile. */
#pragma once

#include "Interpose.h"

/* Waits for the events of a descriptor until a time (see Durations.h), and as long as there is something that goes on
 * beside, unless it `may_be_alone`. Returns 0 when the call is over, as `errno` says. */
int wait_until_ready(int fd, short events, int64_t end, int may_be_alone);
