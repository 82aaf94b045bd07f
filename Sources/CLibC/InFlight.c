#include "InFlight.h"

#include "InheritedEnvironment.h"
#include "Kernel.h"

uint32_t descriptor_marks[DESCRIPTOR_LIMIT];

static int end_of_descriptors;
static uint32_t duplications;
static int own_process;
static uint32_t forks;
/* In the thread's static area, which is there from the start, and needs no allocation. */
static __thread int own_thread __attribute__((tls_model("initial-exec")));

/* Exported by libc; pthread_atfork() is a static function that calls it. Does not allocate. */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object);

static void before_fork(void) {
    if (process_is_threaded()) find_all_real();
    socksify_hand_on_table();
    __atomic_fetch_add(&forks, 1, __ATOMIC_RELAXED);
}

static void in_child(void) {
    own_thread = 0;
    /* They are the parent's. */
    __atomic_store_n(&hot_state.errands, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&own_process, (int)kernel_process_id(), __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void watch_forks(void) {
    in_child();
    __register_atfork(before_fork, NULL, in_child, &own_process);
}

/* Hooks run before any constructor did. */
int process_own_id(void) {
    if (!__atomic_load_n(&own_process, __ATOMIC_RELAXED)) in_child();
    return __atomic_load_n(&own_process, __ATOMIC_RELAXED);
}

int process_is_own(void) {
    return process_own_id() == kernel_process_id();
}

int process_thread_id(void) {
    if (!own_thread) own_thread = (int)kernel_thread_id();
    return own_thread;
}

uint32_t process_forks(void) {
    return __atomic_load_n(&forks, __ATOMIC_RELAXED);
}

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
