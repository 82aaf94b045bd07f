/* freed-here NAME: see freed.h; with an allocator in the program itself. */
#include "allocator.h"

#include "freed.h"
