#include "RelayedDescriptors.h"

#include <time.h>

#include "PendingMarks.h"
#include "MappedOnce.h"

/* The slot plus one, and in the upper bits the tick in which it was found, or 0 for a control connection. In blocks, as
 * the marks are; without memory for a block, nothing is cached. */
static uint64_t first_slots[DESCRIPTORS_IN_BLOCK];
static void *slots[DESCRIPTOR_BLOCKS] = {first_slots};

static uint64_t *word_of(int fd, int makes) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return NULL;
    void **slot = &slots[fd / DESCRIPTORS_IN_BLOCK];
    uint64_t *block = makes ? kernel_map_once(slot, DESCRIPTORS_IN_BLOCK * sizeof *block)
                            : __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    return block ? &block[fd % DESCRIPTORS_IN_BLOCK] : NULL;
}

uint32_t descriptor_tick(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (uint32_t)((uint64_t)time.tv_sec * 256 + (uint64_t)time.tv_nsec / 3906250) | 1 << 31;
}

int descriptor_slot(int fd, uint32_t tick) {
    uint64_t *known = word_of(fd, 0);
    if (!known) return -1;
    uint64_t word = __atomic_load_n(known, __ATOMIC_RELAXED);
    return word >> 32 == tick ? (int)(uint32_t)word - 1 : -1;
}

void descriptor_note_slot(int fd, int slot, uint32_t tick) {
    uint64_t *known = word_of(fd, 1);
    if (known) __atomic_store_n(known, (uint64_t)tick << 32 | (uint32_t)(slot + 1), __ATOMIC_RELAXED);
}

void descriptor_forget_slot(int fd) {
    uint64_t *known = word_of(fd, 0);
    if (known) __atomic_store_n(known, 0, __ATOMIC_RELAXED);
}

int descriptor_control_slot(int fd) {
    return descriptor_slot(fd, 0);
}

void descriptor_note_control_slot(int fd, int slot) {
    descriptor_note_slot(fd, slot, 0);
}
