/* names-again COUNT: looks COUNT names up, and prints how many of them get another address at a second look-up: at
 * once, a few names later, and after all of them, in this program and in another one. Some may in the end, because
 * the room for finding a name is limited. */
#include "probe.h"

#include <spawn.h>
#include <sys/mman.h>

static in_addr_t address_of(int number) {
    char name[40];
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    snprintf(name, sizeof name, "host%d.test", number);
    require(getaddrinfo(name, NULL, &hints, &list) == 0);
    in_addr_t found = ((struct sockaddr_in *)list->ai_addr)->sin_addr.s_addr;
    freeaddrinfo(list);
    return found;
}

static void say_changed(const char *when, int changed, int count) {
    say("%s: %s\n", when, changed == 0 ? "none" : changed <= count / 50 ? "some" : "many");
}

static void look_up_all(const char *who, const in_addr_t *given, int count) {
    int changed = 0;
    for (int number = 0; number < count; number++) changed += address_of(number) != given[number];
    say_changed(who, changed, count);
}

/* Runs the program again; it reads the addresses from the descriptor. */
static void run_other(char *path, char *count, int fd) {
    char descriptor[24];
    snprintf(descriptor, sizeof descriptor, "%d", fd);
    char *arguments[] = {path, count, descriptor, NULL};
    pid_t child;
    int status;
    require(posix_spawn(&child, path, NULL, NULL, arguments, environ) == 0);
    require(waitpid(child, &status, 0) == child && status == 0);
}

int main(int arguments_count, char **arguments) {
    require(arguments_count >= 2);
    int count = atoi(arguments[1]), fd = arguments_count > 2 ? atoi(arguments[2]) : memfd_create("addresses", 0);
    size_t size = (size_t)count * sizeof(in_addr_t);
    require(fd >= 0 && ftruncate(fd, (off_t)size) == 0);
    in_addr_t *given = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    require(given != MAP_FAILED);
    if (arguments_count > 2) {
        look_up_all("by another program", given, count);
        return 0;
    }
    int at_once = 0, later = 0;
    for (int number = 0; number < count; number++) {
        given[number] = address_of(number);
        at_once += address_of(number) != given[number];
        if (number >= 7) later += address_of(number - 7) != given[number - 7];
    }
    say_changed("at once", at_once, count);
    say_changed("a few names later", later, count);
    look_up_all("in the end", given, count);
    run_other(arguments[0], arguments[1], fd);
}
