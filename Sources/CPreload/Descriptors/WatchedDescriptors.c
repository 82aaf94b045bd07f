#include "WatchedDescriptors.h"

#include <string.h>

#include "CKernel.h"
#include "PendingMarks.h"
#include "MappedOnce.h"
#include "ProcessState.h"

/* `epoll` is the number plus one; 0: nothing here. */
struct entry {
    uint32_t epoll;
    uint32_t events;
    uint64_t data;
};

struct watched {
    struct entry entries[WATCHED_EPOLLS];
    /* Set if there was no room for another epoll. */
    uint32_t overflown;
    uint32_t unused[3];
};

/* The first descriptors have static memory: most programs have no others, and programs that install a system call
 * filter later can register them without another system call. */
enum { FIRST = 1024 };
static struct watched first_watched[FIRST];

/* A page for this many of the others, mapped when the first of them is registered. */
enum { PAGE = 4096, IN_PAGE = PAGE / sizeof(struct watched) };
static void *pages[DESCRIPTOR_LIMIT / IN_PAGE];

static struct watched *watched(int fd, int makes) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return NULL;
    if (fd < FIRST) return &first_watched[fd];
    void **slot = &pages[fd / IN_PAGE];
    struct watched *page = makes && !process_is_confined() ? kernel_map_once(slot, PAGE)
                                                           : __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    return page ? &page[fd % IN_PAGE] : NULL;
}

#define LOAD(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define STORE(field, value) __atomic_store_n(&(field), value, __ATOMIC_RELAXED)

void watched_note(int fd, int epoll, uint32_t events, uint64_t data) {
    struct watched *watch = watched(fd, 1);
    struct entry *chosen = NULL;
    for (int index = WATCHED_EPOLLS; watch && index-- > 0;) {
        struct entry *entry = &watch->entries[index];
        uint32_t holder = LOAD(entry->epoll);
        if (holder == (uint32_t)epoll + 1) {
            chosen = entry;
            break;
        }
        if (holder == 0) chosen = entry;
    }
    if (chosen) {
        STORE(chosen->events, events);
        STORE(chosen->data, data);
        __atomic_store_n(&chosen->epoll, (uint32_t)epoll + 1, __ATOMIC_RELEASE);
    } else if (watch) {
        STORE(watch->overflown, 1);
    }
    descriptor_set_mark(fd, DESCRIPTOR_WATCHED);
    descriptor_set_mark(epoll, DESCRIPTOR_EPOLL | DESCRIPTOR_USED_EPOLL);
}

void watched_forget(int fd, int epoll) {
    struct watched *watch = watched(fd, 0);
    if (!watch) return;
    for (int index = 0; index < WATCHED_EPOLLS; index++)
        if (LOAD(watch->entries[index].epoll) == (uint32_t)epoll + 1) STORE(watch->entries[index].epoll, 0);
}

void watched_forget_all(int fd) {
    struct watched *watch = watched(fd, 0);
    if (!watch) return;
    for (int index = 0; index < WATCHED_EPOLLS; index++) STORE(watch->entries[index].epoll, 0);
    STORE(watch->overflown, 0);
}

int watched_registrations(int fd, struct watched_registration found[WATCHED_EPOLLS]) {
    if ((unsigned)fd >= DESCRIPTOR_LIMIT) return -1;
    struct watched *watch = watched(fd, 0);
    /* Without memory for a record, only the mark is set. */
    if (!watch) return descriptor_mark(fd) & DESCRIPTOR_WATCHED ? -1 : 0;
    if (LOAD(watch->overflown)) return -1;
    int count = 0;
    for (int index = 0; index < WATCHED_EPOLLS; index++) {
        uint32_t epoll = __atomic_load_n(&watch->entries[index].epoll, __ATOMIC_ACQUIRE);
        if (epoll == 0) continue;
        found[count++] = (struct watched_registration){
            .epoll = (int)epoll - 1,
            .events = LOAD(watch->entries[index].events),
            .data = LOAD(watch->entries[index].data),
        };
    }
    return count;
}

static int is_same_epoll(int epoll, int other) {
    return epoll == other || (descriptor_mark(epoll) & descriptor_mark(other) & DESCRIPTOR_DUPLICATED &&
                              !process_is_confined() && kernel_is_same_file(epoll, other));
}

int watched_by(int fd, int epoll, struct watched_registration *found) {
    struct watched_registration known[WATCHED_EPOLLS];
    int count = watched_registrations(fd, known), number = 0;
    for (int index = 0; index < count; index++) {
        if (!is_same_epoll(known[index].epoll, epoll)) continue;
        *found = known[index];
        number++;
    }
    /* Under two descriptors the epoll may have different registrations, and the last one is unknown. */
    return count < 0 || number > 1 ? -1 : number;
}
