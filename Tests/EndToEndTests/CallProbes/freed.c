/* freed NAME: see freed.h; with libc's allocator, or with a preloaded one. */
#include "freed.h"
