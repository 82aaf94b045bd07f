/* freed-here NAME: with an allocator in the program itself. */
#include "allocator.h"

#include "freed.h"
