/* Memory that is mapped when somebody needs it first, by whichever thread that is, without a lock.
 *
 * In C, for its users there, which hold it in storage that exists from the start. */
#pragma once

#include "Kernel/Memory.h"

/* What the slot points to; where that is nothing yet, `size` bytes of zeros from now on. NULL when there is no
 * memory. */
static inline void *_Nullable mapped_once(void *_Nullable *_Nonnull slot, size_t size) {
    void *present = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (present) return present;
    long mapped = kernel_map(size);
    if (mapped < 0) return NULL;
    if (__atomic_compare_exchange_n(slot, &present, (void *)mapped, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return (void *)mapped;
    kernel_unmap((void *)mapped, size);
    return present;
}
