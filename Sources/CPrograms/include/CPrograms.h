/* How the kernel starts programs: whether they load the library, and the network filter for those that do not. Used by
 * the library and by the command line tool. */
#pragma once

#include "Executable.h"
#include "NetworkFilter.h"
#include "Program.h"
