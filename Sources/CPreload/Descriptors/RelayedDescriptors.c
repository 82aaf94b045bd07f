#include "RelayedDescriptors.h"

#include <time.h>

#include "PendingMarks.h"
#include "MappedOnce.h"

/* The slot plus one, and above it the tick in which it was found, or 0 for an association's connection. In blocks, as
 * marks are: where there is no memory for one, nothing is found. */
static uint64_t first_slots[DESCRIPTORS_IN_BLOCK];
static void *slots[DESCRIPTOR_BLOCKS] = {first_slots};

static uint64_t *word_of(int fd, int makes) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return NULL;
    void **slot = &slots[fd / DESCRIPTORS_IN_BLOCK];
    uint64_t *block = makes ? mapped_once(slot, DESCRIPTORS_IN_BLOCK * sizeof *block)
                            : __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    return block ? &block[fd % DESCRIPTORS_IN_BLOCK] : NULL;
}

uint32_t coarse_tick(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (uint32_t)((uint64_t)time.tv_sec * 256 + (uint64_t)time.tv_nsec / 3906250) | 1 << 31;
}

int relayed_slot(int fd, uint32_t tick) {
    uint64_t *known = word_of(fd, 0);
    if (!known) return -1;
    uint64_t word = __atomic_load_n(known, __ATOMIC_RELAXED);
    return word >> 32 == tick ? (int)(uint32_t)word - 1 : -1;
}

void relayed_note(int fd, int slot, uint32_t tick) {
    uint64_t *known = word_of(fd, 1);
    if (known) __atomic_store_n(known, (uint64_t)tick << 32 | (uint32_t)(slot + 1), __ATOMIC_RELAXED);
}

void relayed_forget(int fd) {
    uint64_t *known = word_of(fd, 0);
    if (known) __atomic_store_n(known, 0, __ATOMIC_RELAXED);
}

int relayed_control(int fd) {
    return relayed_slot(fd, 0);
}

void relayed_note_control(int fd, int slot) {
    relayed_note(fd, slot, 0);
}
