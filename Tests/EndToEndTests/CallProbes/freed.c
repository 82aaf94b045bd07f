/* freed NAME: with the allocator of the C library, or one that is preloaded. */
#include "freed.h"
