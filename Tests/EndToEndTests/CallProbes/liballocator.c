/* To be preloaded, before the library or behind it: see allocator.h. */
#include "allocator.h"
