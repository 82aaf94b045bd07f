/* What the Swift code needs of C: the kernel, libc's own functions, and types and constants that Swift imports. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "CancellableCalls.h"
#include "CarriedDescriptors.h"
#include "Envelope.h"
#include "FileAnswer.h"
#include "Heap.h"
#include "InFlight.h"
#include "InheritedEnvironment.h"
#include "Interfaces.h"
#include "Kernel.h"
#include "KeyedSocket.h"
#include "LibraryStack.h"
#include "MappedOnce.h"
#include "NameSearch.h"
#include "ProcessState.h"
#include "RealLibC.h"
#include "StandardError.h"
#include "StartMemory.h"
#include "WatchedDescriptors.h"
