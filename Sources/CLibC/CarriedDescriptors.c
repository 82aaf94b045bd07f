#include "CarriedDescriptors.h"

#include <time.h>

#include "InFlight.h"

/* The place plus one, and above it the tick in which it was found. */
static uint64_t places[DESCRIPTOR_LIMIT];

uint32_t coarse_tick(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
    return (uint32_t)((uint64_t)time.tv_sec * 256 + (uint64_t)time.tv_nsec / 3906250) | 1 << 31;
}

int carried_place(int fd, uint32_t tick) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return -1;
    uint64_t word = __atomic_load_n(&places[fd], __ATOMIC_RELAXED);
    return word >> 32 == tick ? (int)(uint32_t)word - 1 : -1;
}

void carried_note(int fd, int place, uint32_t tick) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return;
    __atomic_store_n(&places[fd], (uint64_t)tick << 32 | (uint32_t)(place + 1), __ATOMIC_RELAXED);
}

void carried_forget(int fd) {
    if ((unsigned)fd < DESCRIPTOR_LIMIT) __atomic_store_n(&places[fd], 0, __ATOMIC_RELAXED);
}
