/* libc's own functions, behind the names that the library exports.
 *
 * In C, because the functions are found by name and called by C types. */
#pragma once

#include <stdint.h>

/* Numbers of the hooked names. */
enum {
#define HOOK(name) HOOKED_##name,
#include "HookedSymbols.h"
#undef HOOK
    HOOKED_COUNT,
};

/* The data that every hook reads. Contiguous, because each touched page costs a program more than the instructions. */
struct hot_state {
    /* See PendingMarks.h. */
    uint64_t pending;
    /* libc's functions; NULL until they are found. */
    void *_Nullable real[HOOKED_COUNT];
};
extern struct hot_state hot_state __attribute__((visibility("hidden")));

/* Finds the next definition of `name` after this library and stores it in `slot`. Never returns NULL: for a name that
 * libc lacks it returns a function that fails with ENOSYS. */
void *_Nonnull real_find(void *_Nullable *_Nonnull slot, const char *_Nonnull name);

static inline void *_Nonnull real_function(void *_Nullable *_Nonnull slot, const char *_Nonnull name) {
    void *function = __atomic_load_n(slot, __ATOMIC_RELAXED);
    return function ? function : real_find(slot, name);
}

/* The same for a hooked name, which has its own slot in hot_state. */
void *_Nonnull socksify_find_hooked(int name);

static inline void *_Nonnull socksify_hooked(int name) {
    void *function = __atomic_load_n(&hot_state.real[name], __ATOMIC_RELAXED);
    return function ? function : socksify_find_hooked(name);
}

/* Finds the first definition in lookup order, as libc itself does; it may be the program's own, or in a library before
 * this one. */
void *_Nonnull real_find_of_program(void *_Nullable *_Nonnull slot, const char *_Nonnull name);

static inline void *_Nonnull real_of_program(void *_Nullable *_Nonnull slot, const char *_Nonnull name) {
    void *function = __atomic_load_n(slot, __ATOMIC_RELAXED);
    return function ? function : real_find_of_program(slot, name);
}

/* REAL(name) is libc's function of that name, found at the first use: hooks are called before any constructor of
 * this library ran. */
#define REAL(name) ((__typeof__(&name))socksify_hooked(HOOKED_##name))

/* Like REAL(name), but NULL if it was not found before. */
#define KNOWN(name) ((__typeof__(&name))__atomic_load_n(&hot_state.real[HOOKED_##name], __ATOMIC_RELAXED))

/* Finds all functions. A forked child must not search for one if its parent had other threads: one of them may have
 * held the loader's lock, which is never released in the child. */
void real_find_all(void);
