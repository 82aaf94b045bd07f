/* Memory that the first thread that needs it maps, without a lock.
 *
 * In C, because its users there keep the pointer in static storage. */
#pragma once

#include "Kernel/Memory.h"

static inline void *_Nullable kernel_map_into(void *_Nullable *_Nonnull slot, size_t size,
                                              long (*_Nonnull map)(size_t size)) {
    void *present = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (present) return present;
    long mapped = map(size);
    if (mapped < 0) return NULL;
    if (__atomic_compare_exchange_n(slot, &present, (void *)mapped, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return (void *)mapped;
    kernel_unmap((void *)mapped, size);
    return present;
}

/* The memory in the slot; maps `size` zero bytes if the slot is empty. NULL without memory. */
static inline void *_Nullable kernel_map_once(void *_Nullable *_Nonnull slot, size_t size) {
    return kernel_map_into(slot, size, kernel_map);
}

/* The same with memory that forks share. A fork of a process that has none yet gets one of its own. */
static inline void *_Nullable kernel_map_shared_once(void *_Nullable *_Nonnull slot, size_t size) {
    return kernel_map_into(slot, size, kernel_map_shared);
}
