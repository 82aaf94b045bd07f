/* What the library has in a process before anything of Swift is there, and what is done in C around the program's
 * calls. With it come the kernel and libc, on which it stands. */
#pragma once

#include "CKernel.h"
#include "CLibC.h"

#include "CancellableCalls.h"
#include "RelayedDescriptors.h"
#include "UDPEncapsulation.h"
#include "FileAnswer.h"
#include "Heap.h"
#include "PendingMarks.h"
#include "InheritedEnvironment.h"
#include "KeyedSocket.h"
#include "LibraryStack.h"
#include "NameSearch.h"
#include "ProcessIdentity.h"
#include "ProcessState.h"
#include "RealCalls.h"
#include "StandardError.h"
#include "StartMemory.h"
#include "WatchedDescriptors.h"
