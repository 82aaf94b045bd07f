/* Libraries that a program loads while it runs: they have to find the names that are hooked. */
#include "Interpose.h"

#include <dlfcn.h>

/* A library that was loaded with RTLD_DEEPBIND would find libc's own names before those of this library.
 *
 * libc finds its caller by the return address, for the run path and the name space ($ORIGIN, RUNPATH): so this jumps to
 * libc's dlopen, which returns to the program itself. */
void *dlopen(const char *file, int mode) {
    __attribute__((musttail)) return REAL(dlopen)(file, mode & ~RTLD_DEEPBIND);
}

/* No name space has this number, and libc says so by dlerror(3). */
enum { NO_NAME_SPACE = -3 };

/* In a name space of its own a library would have a libc of its own, which nothing of this library is loaded before. */
void *dlmopen(Lmid_t name_space, const char *file, int mode) {
    if (name_space != LM_ID_BASE) name_space = NO_NAME_SPACE;
    __attribute__((musttail)) return REAL(dlmopen)(name_space, file, mode & ~RTLD_DEEPBIND);
}
