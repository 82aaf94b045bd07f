#include "RealLibC.h"

#include <dlfcn.h>
#include <errno.h>

/* Aligned so that it lies in one page. */
struct hot_state hot_state __attribute__((aligned(2048)));
_Static_assert(sizeof(struct hot_state) <= 2048, "the alignment");

static long missing(void) {
    errno = ENOSYS;
    return -1;
}

static void *find(void **slot, void *scope, const char *name) {
    void *function = dlsym(scope, name);
    if (!function) function = (void *)missing;
    __atomic_store_n(slot, function, __ATOMIC_RELAXED);
    return function;
}

void *socksify_find_real(void **slot, const char *name) {
    return find(slot, RTLD_NEXT, name);
}

void *socksify_find_of_program(void **slot, const char *name) {
    return find(slot, RTLD_DEFAULT, name);
}

void find_all_real(void) {
#define HOOK(name) socksify_real(&hot_state.real[HOOKED_##name], #name);
#include "HookedSymbols.h"
#undef HOOK
}
