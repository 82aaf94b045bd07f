/* Memory that a function uses while it runs. */
#pragma once

#include <stddef.h>

/* Runs `body` with its own memory: on the stack if it is little, because a thread may have no other memory. */
int with_memory(size_t size, int (*_Nonnull body)(void *_Nonnull memory, void *_Nullable context),
                void *_Nullable context);
