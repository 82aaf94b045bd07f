/* Loading of libraries at run time: they must find the hooks. */
#include "Interpose.h"

#include <dlfcn.h>

/* A library loaded with RTLD_DEEPBIND would find libc's names before the hooks.
 *
 * libc identifies its caller by the return address, for the run path and the namespace ($ORIGIN, RUNPATH). So this
 * jumps to libc's dlopen, which returns directly to the program. */
void *dlopen(const char *file, int mode) {
    __attribute__((musttail)) return REAL(dlopen)(file, mode & ~RTLD_DEEPBIND);
}

/* No namespace has this number; libc reports that by dlerror(3). */
enum { NO_NAME_SPACE = -3 };

/* In a new namespace a library would get a separate libc, without the hooks before it. */
void *dlmopen(Lmid_t name_space, const char *file, int mode) {
    if (name_space != LM_ID_BASE) name_space = NO_NAME_SPACE;
    __attribute__((musttail)) return REAL(dlmopen)(name_space, file, mode & ~RTLD_DEEPBIND);
}
