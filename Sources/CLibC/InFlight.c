#include "InFlight.h"

#include "ProcessIdentity.h"

uint32_t descriptor_marks[DESCRIPTOR_LIMIT];

static int end_of_descriptors;
static uint32_t duplications;

uint32_t descriptor_set_mark(int fd, uint32_t mark) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return 0;
    uint32_t old = __atomic_load_n(&descriptor_marks[fd], __ATOMIC_RELAXED), new;
    do {
        new = old | mark;
        if (mark & DESCRIPTOR_COUNTED) new += DESCRIPTOR_MARKS + 1;
        if (new == old) return old;
    } while (!__atomic_compare_exchange_n(&descriptor_marks[fd], &old, new, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    int end = __atomic_load_n(&end_of_descriptors, __ATOMIC_RELAXED);
    while (end <= fd && !__atomic_compare_exchange_n(&end_of_descriptors, &end, fd + 1, 1, __ATOMIC_SEQ_CST,
                                                     __ATOMIC_RELAXED))
        continue;
    if (mark & DESCRIPTOR_DUPLICATED) __atomic_fetch_add(&duplications, 1, __ATOMIC_SEQ_CST);
    return new;
}

uint32_t descriptor_duplications(void) {
    return __atomic_load_n(&duplications, __ATOMIC_SEQ_CST);
}

void descriptor_clear_marks(int fd, uint32_t marks, uint32_t seen) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return;
    uint32_t old = __atomic_load_n(&descriptor_marks[fd], __ATOMIC_RELAXED);
    while ((old ^ seen) <= DESCRIPTOR_MARKS && (old & marks) &&
           !__atomic_compare_exchange_n(&descriptor_marks[fd], &old, old & ~marks, 1, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED))
        continue;
}

void descriptor_clear_wrong_marks(int fd, uint32_t marks, uint32_t seen) {
    if (process_is_own()) descriptor_clear_marks(fd, marks, seen);
}

int descriptor_end(void) {
    return __atomic_load_n(&end_of_descriptors, __ATOMIC_RELAXED);
}
