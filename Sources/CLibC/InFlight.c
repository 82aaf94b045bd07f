#include "InFlight.h"

#include <sys/mman.h>
#include <sys/single_threaded.h>

#include "Kernel.h"

uint64_t in_flight_words[512] __attribute__((aligned(4096)));
uint8_t descriptor_marks[DESCRIPTOR_LIMIT];

static int end_of_descriptors;
static int own_process;
static uint32_t forks;

/* Exported by libc; pthread_atfork() is a static function that calls it. Does not allocate. */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *object);

static void before_fork(void) {
    __atomic_fetch_add(&forks, 1, __ATOMIC_RELAXED);
}

static void in_child(void) {
    __atomic_store_n(&own_process, (int)kernel_process_id(), __ATOMIC_RELAXED);
}

__attribute__((constructor)) static void watch_forks(void) {
    in_child();
    __register_atfork(before_fork, NULL, in_child, &own_process);
}

int process_is_own(void) {
    int own = __atomic_load_n(&own_process, __ATOMIC_RELAXED);
    return own == 0 || own == kernel_process_id();
}

uint32_t process_forks(void) {
    return __atomic_load_n(&forks, __ATOMIC_RELAXED);
}

int process_is_threaded(void) {
    return !__libc_single_threaded;
}

/* The page is replaced in place, so that its address stays a constant. Where pages are larger it would take others
 * along: there a child has words of its own. */
void in_flight_share(void) {
    const size_t size = sizeof in_flight_words;
    if (kernel_page_size() != size) return;
    kernel_call(SYS_mmap, (long)in_flight_words, (long)size, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

void descriptor_set_mark(int fd, uint8_t mark) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return;
    uint8_t old = __atomic_load_n(&descriptor_marks[fd], __ATOMIC_RELAXED), new;
    do {
        new = old | mark;
        if (mark & DESCRIPTOR_IN_FLIGHT) new += DESCRIPTOR_MARKS + 1;
        if (new == old) return;
    } while (!__atomic_compare_exchange_n(&descriptor_marks[fd], &old, new, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
    int end = __atomic_load_n(&end_of_descriptors, __ATOMIC_RELAXED);
    while (end <= fd && !__atomic_compare_exchange_n(&end_of_descriptors, &end, fd + 1, 1, __ATOMIC_SEQ_CST,
                                                     __ATOMIC_RELAXED))
        continue;
}

void descriptor_clear_marks(int fd, uint8_t marks, uint8_t seen) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return;
    uint8_t old = __atomic_load_n(&descriptor_marks[fd], __ATOMIC_RELAXED);
    while ((old ^ seen) <= DESCRIPTOR_MARKS && (old & marks) &&
           !__atomic_compare_exchange_n(&descriptor_marks[fd], &old, old & ~marks, 1, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED))
        continue;
}

int descriptor_end(void) {
    return __atomic_load_n(&end_of_descriptors, __ATOMIC_RELAXED);
}
