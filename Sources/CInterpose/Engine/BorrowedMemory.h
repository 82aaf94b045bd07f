/* Memory for as long as a function runs. */
#pragma once

#include <stddef.h>

/* Runs `body` with memory of its own: on the stack where it is little, because a thread may have no more. */
int with_memory(size_t size, int (*_Nonnull body)(void *_Nonnull memory, void *_Nullable context),
                void *_Nullable context);
