#include "RealLibC.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>

/* Aligned so that it lies in one page. */
struct hot_state hot_state __attribute__((aligned(2048)));
_Static_assert(sizeof(struct hot_state) <= 2048, "the alignment");

static long missing(void) {
    errno = ENOSYS;
    return -1;
}

static __attribute__((noinline)) void *find(void **slot, void *scope, const char *name) {
    void *function = dlsym(scope, name);
    if (!function) function = (void *)missing;
    __atomic_store_n(slot, function, __ATOMIC_RELAXED);
    return function;
}

void *real_find(void **slot, const char *name) {
    return find(slot, RTLD_NEXT, name);
}

/* One string block: a table of pointers would need relocations. */
static const struct {
#define HOOK(name) char of_##name[sizeof #name];
#include "HookedSymbols.h"
#undef HOOK
} names = {
#define HOOK(name) #name,
#include "HookedSymbols.h"
#undef HOOK
};
static const uint16_t places_of_names[HOOKED_COUNT] = {
#define HOOK(name) offsetof(__typeof__(names), of_##name),
#include "HookedSymbols.h"
#undef HOOK
};

void *socksify_find_hooked(int name) {
    return find(&hot_state.real[name], RTLD_NEXT, (const char *)&names + places_of_names[name]);
}

void *real_find_of_program(void **slot, const char *name) {
    return find(slot, RTLD_DEFAULT, name);
}

void real_find_all(void) {
    for (int name = 0; name < HOOKED_COUNT; name++) socksify_hooked(name);
}
