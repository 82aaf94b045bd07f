#include "ProcessIdentity.h"

#include <string.h>

#include "CKernel.h"

char process_pages[2 * KERNEL_LARGEST_PAGE];

static uint32_t forks;
/* The count of forks from the process that loaded the library to this one. Thread-local values of another count belong
 * to a thread of a parent. */
static uint32_t generation;
/* The count of children that may run in this memory beside the process, or in its place with thread-local variables of
 * their own. */
static int sharing;

/* In the static thread-local area, which needs no allocation. */
#define THREAD_LOCAL static __thread __attribute__((tls_model("initial-exec")))
THREAD_LOCAL int own_thread;
/* The forking thread's value in the parent. */
THREAD_LOCAL int parent_thread;
THREAD_LOCAL uint32_t thread_generation;
/* Whether this may be a child of vfork: the thread has called vfork, and its return was not seen. */
THREAD_LOCAL int may_be_child_of_vfork;

void process_begin(void) {
    kernel_call(SYS_madvise, (long)process_words(), KERNEL_LARGEST_PAGE, MADV_WIPEONFORK, 0, 0, 0);
    /* The first access writes: for a page that was read first, the kernel would have to make a second one. */
    uint64_t none = 0;
    __atomic_compare_exchange_n(&process_words()->internal, &none, 0, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    process_own_id();
}

/* Linux before 4.14 does not clear the page. */
void process_begin_child(void) {
    memset(process_words(), 0, sizeof *process_words());
}

void process_count_fork(void) {
    __atomic_fetch_add(&forks, 1, __ATOMIC_RELAXED);
}

int process_own_id(void) {
    int id = __atomic_load_n(&process_words()->id, __ATOMIC_RELAXED), unknown = 0;
    if (id) return id;
    id = (int)kernel_process_id();
    __atomic_fetch_add(&generation, 1, __ATOMIC_RELAXED);
    __atomic_compare_exchange_n(&process_words()->id, &unknown, id, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    return id;
}

/* The parent stores its own ID first, so that a child of vfork is never the first to ask. */
void process_before_vfork(void) {
    process_own_id();
    may_be_child_of_vfork = 1;
}

void process_before_sharing(void) {
    process_own_id();
    __atomic_fetch_add(&sharing, 1, __ATOMIC_RELAXED);
}

void process_after_sharing(void) {
    __atomic_fetch_sub(&sharing, 1, __ATOMIC_RELAXED);
}

int process_is_own(void) {
    int own = process_own_id();
    /* This comes first: a process that shares the memory may have no thread-local variables. */
    if (__atomic_load_n(&sharing, __ATOMIC_RELAXED)) return own == kernel_process_id();
    if (!may_be_child_of_vfork) return 1;
    if (own != kernel_process_id()) return 0;
    may_be_child_of_vfork = 0;
    return 1;
}

int process_thread_id(void) {
    process_own_id();
    uint32_t present = __atomic_load_n(&generation, __ATOMIC_RELAXED);
    if (!own_thread || thread_generation != present) {
        parent_thread = own_thread;
        own_thread = (int)kernel_thread_id();
        thread_generation = present;
    }
    return own_thread;
}

uint64_t process_owner(void) {
    /* This comes first: it may be the first call in a child. */
    uint32_t thread = (uint32_t)process_thread_id();
    return (uint64_t)__atomic_load_n(&generation, __ATOMIC_RELAXED) << 32 | thread;
}

int process_owner_is_gone(uint64_t owner) {
    int thread = (int)owner;
    if (owner >> 32 != __atomic_load_n(&generation, __ATOMIC_RELAXED)) return thread != parent_thread;
    return !kernel_thread_exists(thread);
}

uint32_t process_forks(void) {
    return __atomic_load_n(&forks, __ATOMIC_RELAXED);
}
