#include "PendingMarks.h"

#include <stddef.h>

#include "CKernel.h"
#include "ProcessIdentity.h"

static uint32_t first_marks[DESCRIPTORS_IN_BLOCK];
uint32_t *descriptor_marks[DESCRIPTOR_BLOCKS] = {first_marks};
uint32_t descriptor_marks_elsewhere;

static int end_of_descriptors;
static uint32_t duplications;

static void ask_all(uint32_t *block) {
    for (int index = 0; index < DESCRIPTORS_IN_BLOCK; index++)
        __atomic_fetch_or(&block[index], DESCRIPTOR_ASKED, __ATOMIC_SEQ_CST);
}

/* NULL without memory: from then on all descriptors without a block are checked. */
static uint32_t *make_block(uint32_t **slot) {
    enum { SIZE = DESCRIPTORS_IN_BLOCK * sizeof **slot };
    long mapped = kernel_map(SIZE);
    if (mapped < 0) {
        __atomic_store_n(&descriptor_marks_elsewhere, DESCRIPTOR_ASKED, __ATOMIC_SEQ_CST);
        return __atomic_load_n(slot, __ATOMIC_SEQ_CST);
    }
    uint32_t *made = (uint32_t *)mapped, *block = NULL;
    /* Marks that should have been set here may be among those that were lost: before this, or in another thread now. */
    if (__atomic_load_n(&descriptor_marks_elsewhere, __ATOMIC_SEQ_CST)) ask_all(made);
    if (!__atomic_compare_exchange_n(slot, &block, made, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        kernel_unmap(made, SIZE);
        return block;
    }
    if (__atomic_load_n(&descriptor_marks_elsewhere, __ATOMIC_SEQ_CST)) ask_all(made);
    return made;
}

/* The descriptor's marks; NULL if it has none. */
static uint32_t *word_of(int fd, int makes) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return NULL;
    uint32_t **slot = &descriptor_marks[fd / DESCRIPTORS_IN_BLOCK], *block = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    if (!block && makes) block = make_block(slot);
    return block ? &block[fd % DESCRIPTORS_IN_BLOCK] : NULL;
}

uint32_t descriptor_set_mark(int fd, uint32_t mark) {
    uint32_t *word = word_of(fd, 1);
    if (!word) return 0;
    uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED), new;
    do {
        new = old | mark;
        if (mark & DESCRIPTOR_COUNTED) new += DESCRIPTOR_MARKS + 1;
        if (new == old) return old;
    } while (!__atomic_compare_exchange_n(word, &old, new, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
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
    uint32_t *word = word_of(fd, 0);
    if (!word) return;
    uint32_t old = __atomic_load_n(word, __ATOMIC_RELAXED);
    while ((old ^ seen) <= DESCRIPTOR_MARKS && (old & marks) &&
           !__atomic_compare_exchange_n(word, &old, old & ~marks, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        continue;
}

void descriptor_clear_wrong_marks(int fd, uint32_t marks, uint32_t seen) {
    if (process_is_own()) descriptor_clear_marks(fd, marks, seen);
}

int descriptor_end(void) {
    return __atomic_load_n(&end_of_descriptors, __ATOMIC_RELAXED);
}

int descriptor_next(int fd, uint32_t marks) {
    for (int end = descriptor_end(); fd < end; fd++)
        if (descriptor_mark(fd) & marks) return fd;
    return -1;
}
