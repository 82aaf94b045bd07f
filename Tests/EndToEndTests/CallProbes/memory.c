/* memory CASE HOST PORT ...: connects to an echo server while memory is short. HOST and PORT are numeric. */
#include "raw.h"
#include "refusing.h"

#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>

static address target;

/* ----- Limits ----- */

/* The value of a line of /proc/self/status, in bytes. */
static rlim_t status(const char *field) {
    char text[4096];
    int fd = open("/proc/self/status", O_RDONLY);
    ssize_t length = read(fd, text, sizeof text - 1);
    require(length > 0 && close(fd) == 0);
    text[length] = 0;
    const char *line = strstr(text, field);
    require(line);
    return strtoul(line + strlen(field), NULL, 10) * 1024;
}

static void allow_more(int resource, const char *used, const char *mebibytes) {
    struct rlimit limit;
    require(getrlimit(resource, &limit) == 0);
    limit.rlim_cur = status(used) + ((rlim_t)atoi(mebibytes) << 20);
    require(setrlimit(resource, &limit) == 0);
}

/* Drops the right to lock any amount of memory. */
static void lock_all(void) {
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[2];
    require(syscall(SYS_capget, &head, sets) == 0);
    sets[0].effective &= ~(1u << CAP_IPC_LOCK);
    require(syscall(SYS_capset, &head, sets) == 0);
    require(mlockall(MCL_CURRENT | MCL_FUTURE) == 0);
}

/* limited HOST PORT space|data|locked MEBIBYTES stream|epoll|datagram: the limit is MEBIBYTES more than the use
 * before the first connection. */
static void limited(char **arguments) {
    if (strcmp(arguments[0], "space") == 0) {
        allow_more(RLIMIT_AS, "VmSize:", arguments[1]);
    } else if (strcmp(arguments[0], "data") == 0) {
        allow_more(RLIMIT_DATA, "VmData:", arguments[1]);
    } else {
        lock_all();
        allow_more(RLIMIT_MEMLOCK, "VmLck:", arguments[1]);
    }
    say("%s\n", way_named(arguments[2])(&target));
}

/* mappings HOST PORT: the program uses up all mappings that the kernel allows (vm.max_map_count), and then frees
 * them. */
static void mappings(char **arguments unused) {
    const size_t page = 4096, size = page << 20;
    char *start = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(start != MAP_FAILED);
    /* The kernel does not join neighbouring mappings with different permissions. */
    char *place = start;
    while (place < start + size && mprotect(place, page, PROT_READ) == 0) place += 2 * page;
    require(place < start + size && errno == ENOMEM);
    while (mmap(NULL, page, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) continue;
    say("%s\n", by_stream(&target));
    require(munmap(start, size) == 0);
    say("%s\n", by_stream(&target));
}

/* ----- Calls that are refused ----- */

static size_t mapped_pages(void) {
    char text[100];
    int fd = open("/proc/self/statm", O_RDONLY);
    ssize_t length = read(fd, text, sizeof text - 1);
    require(length > 0 && close(fd) == 0);
    text[length] = 0;
    return strtoul(text, NULL, 10);
}

/* refused HOST PORT stream|epoll|datagram once|since: the first, the second ... call for memory fails, or all calls
 * from that one on, until a connection makes fewer calls. */
static void refused(char **arguments) {
    const char *(*try)(const address *) = way_named(arguments[0]);
    int once = strcmp(arguments[1], "once") == 0, made = 1;
    for (int number = 1; made; number++) {
        require(number < 100);
        pid_t child = fork();
        require(child >= 0);
        if (child == 0) {
            refuse_memory(number, once ? 1 : 1 << 20);
            const char *first = try(&target);
            made = calls >= number;
            /* A failed attempt leaves nothing behind. */
            int fails = !once && strcmp(first, "echoed") != 0;
            size_t before = 0;
            for (int again = 0; again < 4 && fails; again++) {
                count_anew();
                fails = strcmp(try(&target), "echoed") != 0;
                /* The first attempts leave the library's stack and the configuration mapped. */
                if (again == 1) before = mapped_pages();
            }
            int is_kept = fails && mapped_pages() != before;
            grant_memory();
            const char *then = try(&target);
            if (made) say("%d: %s, %s then%s\n", number, first, then, is_kept ? ", more is mapped" : "");
            else say("all: %s\n", first);
            _exit(made);
        }
        int ended;
        require(waitpid(child, &ended, 0) == child);
        if (WIFSIGNALED(ended)) say("%d: %s\n", number, strsignal(WTERMSIG(ended)));
        else made = WEXITSTATUS(ended);
    }
}

/* growing HOST PORT: the first name, after a connection. */
static void growing(char **arguments unused) {
    say("%s\n", by_stream(&target));
    refuse_memory(1, 1 << 20);
    say("%s\n", look_up("web.test"));
    grant_memory();
    say("%s\n", look_up("web.test"));
}

/* stacks HOST PORT: the memory that stays in use on the library's stacks of 128 KiB, whose first page cannot be
 * accessed. */
static void stacks(char **arguments unused) {
    say("%s\n", by_stream(&target));
    FILE *maps = fopen("/proc/self/smaps", "re");
    require(maps);
    char line[600];
    long size = 0, most = 0, kilobytes;
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "Size: %ld kB", &kilobytes) == 1) size = kilobytes;
        if (size == 124 && sscanf(line, "Private_Dirty: %ld kB", &kilobytes) == 1 && kilobytes > most) most = kilobytes;
    }
    fclose(maps);
    say("%s\n", most == 0 ? "there are none" : most <= 32 ? "little" : "much");
}

/* high HOST PORT: a descriptor whose marks cannot be stored. */
static void high(char **arguments unused) {
    enum { NUMBER = 9000 };
    struct rlimit limit;
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max > NUMBER);
    limit.rlim_cur = limit.rlim_max;
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    say("%s\n", by_stream(&target));
    int fd = socket(target.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    refuse_memory(1, 1 << 20);
    require(dup2(fd, NUMBER) == NUMBER && close(fd) == 0);
    say("connect %s\n", outcome(connect(NUMBER, &target.any, target.length)));
    /* The kernel's connection is to the proxy, which must not get these bytes. */
    struct pollfd ready = {NUMBER, POLLOUT, 0};
    require(raw(SYS_ppoll, (long)&ready, 1, 0, 0, 8) == 1);
    while (send(NUMBER, "early", 5, MSG_NOSIGNAL) != 5) require(errno == EAGAIN);
    char bytes[5];
    int is_answered = read_all(NUMBER, bytes, sizeof bytes) && memcmp(bytes, "early", sizeof bytes) == 0;
    grant_memory();
    say("%s\n", is_answered ? "echoed" : "no answer");
    close(NUMBER);
}

/* ----- Memory that processes share ----- */

/* forked HOST PORT COUNT: a child that was forked before any look-up looks names up; prints what their addresses
 * mean to its parent. */
static void forked(char **arguments) {
    int count = atoi(arguments[0]), ends[2];
    say("%s\n", by_stream(&target));
    require(pipe(ends) == 0);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        for (int number = 0; number < count; number++) {
            char name[40];
            struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
            snprintf(name, sizeof name, "n%d.test", number);
            require(getaddrinfo(name, NULL, &hints, &list) == 0);
            struct sockaddr_in address = *(struct sockaddr_in *)list->ai_addr;
            freeaddrinfo(list);
            require(write(ends[1], &address, sizeof address) == sizeof address);
        }
        _exit(0);
    }
    require(close(ends[1]) == 0);
    int known = 0;
    struct sockaddr_in address;
    for (int number = 0; read_all(ends[0], &address, sizeof address); number++) {
        char name[40], host[300] = "";
        snprintf(name, sizeof name, "n%d.test", number);
        require(getnameinfo((struct sockaddr *)&address, sizeof address, host, sizeof host, NULL, 0, NI_NAMEREQD) == 0);
        known += strcmp(host, name) == 0;
    }
    require(close(ends[0]) == 0 && waitpid(child, NULL, 0) == child);
    say("%d known\n", known);
}

int main(int count, char **arguments) {
    require(count >= 4);
    target = numeric(arguments[2], arguments[3]);
    static const struct {
        const char *name;
        void (*run)(char **arguments);
    } cases[] = {
        {"limited", limited}, {"mappings", mappings}, {"refused", refused}, {"growing", growing}, {"stacks", stacks},
        {"high", high}, {"forked", forked},
    };
    for (size_t index = 0; index < sizeof cases / sizeof *cases; index++) {
        if (strcmp(cases[index].name, arguments[1]) != 0) continue;
        cases[index].run(arguments + 4);
        return 0;
    }
    require(!"a case of this probe");
}
