/* entries HOST PORT: every way into connect(2). */
#include "probe.h"

#include <dlfcn.h>

typedef int connecting(int, const struct sockaddr *, socklen_t);
extern int early_fd;

int main(int count, char **arguments) {
    require(count == 3);
    address to = numeric(arguments[1], arguments[2]);
    say("in a constructor: %s\n", echo(early_fd));

    int fd = stream(&to);
    say("syscall: %s\n", outcome(syscall(SYS_connect, fd, &to.any, to.length)));
    say("syscall: %s\n", echo(fd));

    for (int index = 0; index < 2; index++) {
        const char *name = index == 0 ? "connect" : "__connect";
        connecting *function = (connecting *)dlsym(RTLD_DEFAULT, name);
        require(function);
        fd = stream(&to);
        say("dlsym %s: %s\n", name, outcome(function(fd, &to.any, to.length)));
        say("dlsym %s: %s\n", name, echo(fd));
    }

    fd = stream(&to);
    int status;
    pid_t child = vfork();
    if (child == 0) {
        say("in a child of vfork: %s\n", outcome(connect(fd, &to.any, to.length)));
        _exit(0);
    }
    require(waitpid(child, &status, 0) == child && status == 0);
    say("its socket: %s\n", echo(fd));
    fd = stream(&to);
    say("in the parent: %s\n", outcome(connect(fd, &to.any, to.length)));
    say("in the parent: %s\n", echo(fd));

    child = fork();
    if (child == 0) {
        fd = stream(&to);
        say("in a child of fork: %s\n", outcome(connect(fd, &to.any, to.length)));
        say("in a child of fork: %s\n", echo(fd));
        _exit(0);
    }
    require(waitpid(child, &status, 0) == child && status == 0);
}
