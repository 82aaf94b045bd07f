/* Programs as the kernel starts them: whether the library is loaded into them, and what keeps those from the network
 * that it is not loaded into. Used by the library and by the command line tool. */
#pragma once

#include "Executable.h"
#include "NetworkFilter.h"
#include "Program.h"
