/* System calls without libc in between, with the types and constants that they take.
 *
 * In C, because Swift has no inline assembly. The library's own input and output goes this way: libc's wrappers are
 * cancellation points (those that must be are in CancellableCalls.h); they are what other preloaded libraries replace;
 * and they need to be found first, while these work before any constructor ran, in a signal handler, and in a child
 * of vfork.
 *
 * Every function returns what the kernel returns: a negative error number on failure. `errno` is left alone. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "Interfaces.h"
#include "Kernel/Call.h"
#include "Kernel/Descriptors.h"
#include "Kernel/Files.h"
#include "Kernel/Folders.h"
#include "Kernel/Machine.h"
#include "Kernel/Memory.h"
#include "Kernel/Processes.h"
#include "Kernel/Signals.h"
#include "Kernel/Sockets.h"
#include "Kernel/Waiting.h"
#include "MappedOnce.h"
