#include "StartMemory.h"

#include "CKernel.h"
#include "ProcessState.h"

/* The memory in use, as far as there is room to record it. */
enum { NOTES = 64, IN_CHANGE = -1 };
static struct {
    /* The process that took it; 0: the entry is free. */
    int owner;
    void *memory;
    size_t size;
} notes[NOTES];

/* Takes an entry of this owner. */
static int seize(int index, int owner) {
    return __atomic_compare_exchange_n(&notes[index].owner, &owner, IN_CHANGE, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void forget(int index) {
    __atomic_store_n(&notes[index].owner, 0, __ATOMIC_RELEASE);
}

/* Releases the memory that ended children of vfork have left. */
static void give_back_of_ended(int own) {
    for (int index = 0; index < NOTES; index++) {
        int owner = __atomic_load_n(&notes[index].owner, __ATOMIC_ACQUIRE);
        if (owner <= 0 || owner == own || !process_has_ended(owner) || !seize(index, owner)) continue;
        kernel_unmap(notes[index].memory, notes[index].size);
        forget(index);
    }
}

/* Room for some 30,000 variables, which is taken by one at a time, without asking the kernel. */
enum { RESERVE_SIZE = 256 * 1024 };
static void *reserve;
static int is_reserve_taken;

void start_memory_reserve(void) {
    if (__atomic_load_n(&reserve, __ATOMIC_ACQUIRE)) return;
    long mapped = kernel_map(RESERVE_SIZE);
    void *none = NULL;
    if (mapped < 0) return;
    if (!__atomic_compare_exchange_n(&reserve, &none, (void *)mapped, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        kernel_unmap((void *)mapped, RESERVE_SIZE);
}

void *start_memory_take(size_t size) {
    void *reserved = __atomic_load_n(&reserve, __ATOMIC_ACQUIRE);
    if (reserved && size <= RESERVE_SIZE && !__atomic_exchange_n(&is_reserve_taken, 1, __ATOMIC_ACQ_REL))
        return reserved;
    int own = (int)kernel_process_id();
    give_back_of_ended(own);
    long mapped = kernel_map(size);
    if (mapped < 0) return NULL;
    for (int index = 0; index < NOTES; index++) {
        if (!seize(index, 0)) continue;
        notes[index].memory = (void *)mapped;
        notes[index].size = size;
        __atomic_store_n(&notes[index].owner, own, __ATOMIC_RELEASE);
        break;
    }
    return (void *)mapped;
}

void start_memory_give_back(void *memory, size_t size) {
    if (memory == __atomic_load_n(&reserve, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&is_reserve_taken, 0, __ATOMIC_RELEASE);
        return;
    }
    int own = (int)kernel_process_id();
    for (int index = 0; index < NOTES; index++) {
        if (__atomic_load_n(&notes[index].owner, __ATOMIC_ACQUIRE) != own || notes[index].memory != memory) continue;
        if (seize(index, own)) forget(index);
        break;
    }
    kernel_unmap(memory, size);
}
