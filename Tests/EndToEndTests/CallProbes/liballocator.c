/* A library that is preloaded before or after socksify: see allocator.h. */
#include "allocator.h"
