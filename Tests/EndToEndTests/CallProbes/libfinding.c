/* A library that loads others, which its run path leads to. */
#include <dlfcn.h>

void *find(const char *name) {
    void *library = dlopen(name, RTLD_NOW);
    return library;
}
