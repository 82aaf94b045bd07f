/* The state that exists in a process before any Swift code runs, and the C code around the program's calls. Includes
 * the modules for the kernel and libc. */
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
#include "MechanismCalls.h"
#include "NameSearch.h"
#include "ProcessIdentity.h"
#include "ProcessState.h"
#include "RealCalls.h"
#include "StandardError.h"
#include "StartMemory.h"
#include "WatchedDescriptors.h"
