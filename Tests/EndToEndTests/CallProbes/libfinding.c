/* A library that loads others by its run path. */
#include <dlfcn.h>

void *find(const char *name) {
    void *library = dlopen(name, RTLD_NOW);
    return library;
}
