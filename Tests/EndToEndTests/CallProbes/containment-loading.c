/* containment-loading HOST PORT: libraries that are loaded while the program runs. */
#include "probe.h"

#include <dlfcn.h>

static address to;

static void connect_by(const char *what, void *library) {
    if (!library) {
        say("%s: %s\n", what, dlerror());
        return;
    }
    int (*by)(int, const struct sockaddr *, socklen_t) = (__typeof__(by))dlsym(library, "library_connect");
    int fd = stream(&to);
    int result = by(fd, &to.any, to.length);
    say("%s: %s\n", what, outcome(result));
    if (result == 0) say("%s: %s\n", what, echo(fd));
    close(fd);
}

int main(int count, char **arguments) {
    require(count == 3);
    to = numeric(arguments[1], arguments[2]);
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 40);
    require(length > 0);
    path[length] = 0;
    char *name = strrchr(path, '/') + 1;

    strcpy(name, "libbound.so");
    void *bound = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    connect_by("deep-bound", bound);
    dlclose(bound);
    bound = dlmopen(LM_ID_BASE, path, RTLD_NOW | RTLD_DEEPBIND);
    connect_by("deep-bound by dlmopen", bound);
    dlclose(bound);
    connect_by("name space of its own", dlmopen(LM_ID_NEWLM, path, RTLD_NOW));

    /* Only the run path of the library that loads it names its folder. */
    say("found by the program: %s\n", dlopen("libfound.so", RTLD_NOW) ? "yes" : "no");
    strcpy(name, "libfinding.so");
    void *finding = dlopen(path, RTLD_NOW);
    require(finding);
    void *(*find)(const char *) = (__typeof__(find))dlsym(finding, "find");
    say("found by the library: %s\n", find("libfound.so") ? "yes" : "no");
    say("found by its folder: %s\n", find("$ORIGIN/found/libfound.so") ? "yes" : "no");
    say("the program itself: %s\n", dlopen(NULL, RTLD_NOW) ? "yes" : "no");
}
