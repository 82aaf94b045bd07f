/* users CALL HOST PORT: a child that gives up its user's rights by CALL, and its parent, which keeps them. HOST is a
 * UDP echo server. Prints whether the child can still change the parent's memory, whether both still know the names
 * from before, and what each knows of the names that the other has looked up since. */
#include "datagram.h"
#include "names.h"

enum { OTHER = 65534, MOST = 64 };

/* The inode numbers of the writable shared mappings. */
static int shared(unsigned long numbers[MOST]) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[600], flags[5];
    int count = 0;
    require(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long number;
        require(sscanf(line, "%*s %4s %*s %*s %lu", flags, &number) == 2);
        if (strcmp(flags, "rw-s") != 0) continue;
        require(count < MOST);
        numbers[count++] = number;
    }
    fclose(maps);
    return count;
}

static unsigned long before[MOST];
static int before_count;

static int still_shared(void) {
    unsigned long now[MOST];
    int count = shared(now), same = 0;
    for (int index = 0; index < count; index++)
        for (int other = 0; other < before_count; other++)
            if (now[index] == before[other]) {
                same++;
                break;
            }
    return same;
}

static struct sockaddr_in look_up(const char *name) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    require(getaddrinfo(name, NULL, &hints, &list) == 0);
    struct sockaddr_in at;
    memcpy(&at, list->ai_addr, sizeof at);
    freeaddrinfo(list);
    return at;
}

static const char *meaning(struct sockaddr_in at) {
    static char host[300];
    int code = getnameinfo((struct sockaddr *)&at, sizeof at, host, sizeof host, NULL, 0, NI_NAMEREQD);
    return code ? code_name(code) : host;
}

static int change(const char *call) {
    if (strcmp(call, "setuid") == 0) return setuid(OTHER);
    if (strcmp(call, "setreuid") == 0) return setreuid(OTHER, OTHER);
    if (strcmp(call, "setresuid") == 0) return setresuid(OTHER, OTHER, OTHER);
    if (strcmp(call, "SYS_setuid") == 0) return (int)syscall(SYS_setuid, OTHER);
    if (strcmp(call, "SYS_setreuid") == 0) return (int)syscall(SYS_setreuid, OTHER, OTHER);
    if (strcmp(call, "SYS_setresuid") == 0) return (int)syscall(SYS_setresuid, OTHER, OTHER, OTHER);
    /* These calls can be reversed. */
    if (strcmp(call, "seteuid") == 0) return seteuid(OTHER);
    if (strcmp(call, "saved") == 0) return setresuid(OTHER, OTHER, 0);
    require(strcmp(call, "none") == 0);
    return 0;
}

static void ask(int fd, const char *who) {
    char answer[16];
    ssize_t sent = send(fd, "question", 8, 0);
    ssize_t received = sent < 0 ? sent : recv(fd, answer, sizeof answer, 0);
    say("%s's datagram: %s\n", who, received == 8 ? "answered" : outcome(received));
}

int main(int count, char **arguments) {
    require(count == 4);
    far = numeric(arguments[2], arguments[3]);
    int fd = connected();
    ask(fd, "parent");
    struct sockaddr_in first = look_up("first.test"), second, third;
    int to_child[2], to_parent[2];
    require(pipe(to_child) == 0 && pipe(to_parent) == 0);
    before_count = shared(before);
    pid_t child = fork();
    if (child == 0) {
        say("child: %s\n", outcome(change(arguments[1])));
        say("child shares memory: %s\n", still_shared() ? "yes" : "no");
        say("child knows: %s\n", meaning(first));
        ask(fd, "child");
        second = look_up("second.test");
        require(write(to_parent[1], &second, sizeof second) == sizeof second);
        require(read(to_child[0], &third, sizeof third) == sizeof third);
        say("child knows of its parent: %s\n", meaning(third));
        /* The child's own children share with it as those of any process do. */
        if (fork() == 0) {
            say("grandchild knows: %s\n", meaning(second));
            _exit(0);
        }
        int status;
        require(wait(&status) > 0 && status == 0);
        _exit(0);
    }
    require(read(to_parent[0], &second, sizeof second) == sizeof second);
    say("parent knows of its child: %s\n", meaning(second));
    third = look_up("third.test");
    require(write(to_child[1], &third, sizeof third) == sizeof third);
    int status;
    require(waitpid(child, &status, 0) == child && status == 0);
    say("parent knows: %s\n", meaning(first));
    ask(fd, "parent");
}
