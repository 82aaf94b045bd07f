/* pending-damaged VALUE ADDRESS WAY: a process begins to connect. Its child continues the handshake, changes one
 * word of the memory that they share since the fork, and ends; then the process continues. The probe repeats this
 * for each word, in a new process and with the original memory. VALUE is what words become. WAY is `damaged`, for
 * every word with a content; or `forged`, for the words of the handshake's state, with a valid checksum. Prints the
 * number of processes that a signal ended, and of those that did not end within a time that is enough for many runs;
 * the number that accepted a damaged word of the handshake's state; and the number that had another peer, more
 * descriptors than they should, or event data from an epoll that they had not set. */
#include "damaged.h"
#include "pending-epoll.h"
#include "raw.h"

enum { MOST_REGIONS = 8, TOGETHER = 64 };
enum { NO_WORD = 1, FAILED = 2, EARLY = 4, ASTRAY = 8, LEFT_OPEN = 16, OF_RECORD = 32, MISLED = 64 };
/* The words of a record. The first is its lock, which counts the writes; the others are its content. */
enum { TURN = 2, FIRST = 8 };

static struct region {
    uint64_t *words, *before;
    size_t count;
    unsigned long inode;
    int is_table; /* by which handshakes are found; not what is known of them */
} regions[MOST_REGIONS];
static int region_count;
static const char *kind;
static int is_forged;
static pid_t above;

/* The mappings without a path, each file once, as far as it is mapped. */
static void find_memory(void) {
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[600];
    require(maps);
    while (fgets(line, sizeof line, maps)) {
        unsigned long start, end, inode;
        char rights[8];
        require(sscanf(line, "%lx-%lx %7s %*x %*s %lu", &start, &end, rights, &inode) == 4);
        if (strcmp(rights, "rw-s") != 0 || (!strstr(line, "/memfd:") && !strstr(line, "/dev/zero"))) continue;
        int at = 0;
        while (at < region_count && regions[at].inode != inode) at++;
        require(at < MOST_REGIONS);
        size_t count = (end - start) / 8;
        if (at < region_count && regions[at].count >= count) continue;
        regions[at] = (struct region){(uint64_t *)start, NULL, count, inode, !strstr(line, "/memfd:")};
        if (at == region_count) region_count++;
    }
    fclose(maps);
    require(region_count >= 2);
    for (int at = 0; at < region_count; at++) {
        require((regions[at].before = malloc(regions[at].count * 8)));
        memcpy(regions[at].before, regions[at].words, regions[at].count * 8);
    }
}

static void restore_memory(void) {
    for (int at = 0; at < region_count; at++)
        memcpy(regions[at].words, regions[at].before, regions[at].count * 8);
}

static int is_used(const uint64_t *words) {
    for (int index = 0; index < TOGETHER; index++)
        if (words[index] != 0) return 1;
    return 0;
}

/* Empty locks, counts and lists, in addition to the words with a content. */
static void fill_zeros(uint64_t *words) {
    for (int index = 0; index < TOGETHER; index++)
        if (words[index] == 0) words[index] = (uint64_t)above;
}

static void change(uint64_t *word, size_t index) {
    if (strcmp(kind, "zero") == 0) *word = 0;
    else if (strcmp(kind, "ones") == 0) *word = ~(uint64_t)0;
    else if (strcmp(kind, "lower") == 0) *word |= 0xffffffff;
    else if (strcmp(kind, "upper") == 0) *word |= ~(uint64_t)0xffffffff;
    else if (strcmp(kind, "flipped") == 0) *word ^= (uint64_t)1 << index * 7 % 64;
    else if (strcmp(kind, "more") == 0) ++*word;
    else *word = (uint64_t)above;
}

static uint64_t mixed(uint64_t word, uint64_t check) {
    uint64_t product = (check ^ word) * 0x9e3779b97f4a7c15;
    return product ^ product >> 32;
}

/* Computes the checksum, as a process could that knows how the words are checked. */
static int forge(int number, int fd) {
    uint64_t *record = NULL, cookie, check;
    socklen_t length = sizeof cookie;
    for (int at = 0; at < region_count; at++)
        if (!regions[at].is_table) record = regions[at].words;
    require(record && raw(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, (long)&cookie, (long)&length) == 0);
    size_t end = FIRST;
    for (check = mixed(cookie, record[TURN]); check != record[end]; end++) {
        require(end < 400);
        check = mixed(record[end], check);
    }
    size_t at = FIRST + (size_t)number;
    if (at >= end) return NO_WORD;
    change(record + at, at);
    check = mixed(cookie, record[TURN]);
    for (at = FIRST; at < end; at++) check = mixed(record[at], check);
    record[end] = check;
    return 0;
}

/* OF_RECORD or 0, depending on the word's place; NO_WORD when there are fewer words. */
static int damage(int number) {
    int fills = strcmp(kind, "filled") == 0;
    for (int at = 0; at < region_count; at++) {
        for (size_t index = 0; index < regions[at].count; index += fills ? TOGETHER : 1) {
            uint64_t *word = regions[at].words + index;
            if (fills ? !is_used(word) : *word == 0) continue;
            if (number-- > 0) continue;
            if (fills) fill_zeros(word);
            else change(word, index);
            return regions[at].is_table ? 0 : OF_RECORD;
        }
    }
    return NO_WORD;
}

static int open_count(void) {
    int count = 0;
    for (int fd = 0; fd < 256; fd++) count += raw(SYS_fcntl, fd, F_GETFD, 0, 0, 0) >= 0;
    return count;
}

static int is_astray(int fd) {
    address peer = {.length = sizeof peer.storage};
    if (raw(SYS_getpeername, fd, (long)&peer.any, (long)&peer.length, 0, 0) < 0) return 0;
    return strcmp(text_of(&peer.any), text_of(&far_address.any)) != 0;
}

static int go_on(int number) {
    int before = open_count(), status, told = 0;
    connection f = begin_pending(REACHED);
    reach(&f, GREETED);
    int ep = new_epoll();
    struct epoll_event event = {EPOLLOUT, {.ptr = &f}};
    require(epoll_ctl(ep, EPOLL_CTL_ADD, f.fd, &event) == 0);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        drive_by_poll(&f);
        _exit(is_forged ? forge(number, f.fd) : damage(number));
    }
    /* A raw call, which the library does not see: its own wait would continue the pending handshakes, and overwrite
     * the damage. */
    require(raw(SYS_wait4, child, (long)&status, 0, 0, 0) == child && WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_WORD) return NO_WORD;
    require(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == OF_RECORD);
    told |= WEXITSTATUS(status);
    struct pollfd entry = {f.fd, POLLOUT, 0};
    if (poll(&entry, 1, 0) != 0) {
        told |= strcmp(error_of(f.fd), "0") == 0 ? EARLY : FAILED;
    } else {
        require(write(f.far, good_reply, sizeof good_reply) == sizeof good_reply && shutdown(f.far, SHUT_WR) == 0);
        poll(&entry, 1, -1);
        if (strcmp(error_of(f.fd), "0") != 0) told |= FAILED;
    }
    peer_of(f.fd);
    if (epoll_wait(ep, &event, 1, 0) == 1 && event.data.ptr != &f) told |= MISLED;
    close(ep);
    if (is_astray(f.fd)) told |= ASTRAY;
    close(f.fd);
    close(f.far);
    return open_count() == before ? told : told | LEFT_OPEN;
}

static int connected_count, failed, trusting, astray, misled, left_open;

/* Returns false when there is no such word. */
static int try(int number) {
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) _exit(go_on(number));
    char found[20];
    snprintf(found, sizeof found, "word %d", number);
    int told = status_of(child, found);
    restore_memory();
    if (told < 0) return 1;
    require(told != 99);
    if (told == NO_WORD) return 0;
    failed += (told & FAILED) != 0;
    connected_count += (told & FAILED) == 0;
    if (told & OF_RECORD && !(told & FAILED)) trusting++, say("word %d: taken for good\n", number);
    if (told & ASTRAY) astray++, say("word %d: another peer\n", number);
    if (told & MISLED) misled++, say("word %d: other data\n", number);
    if (told & LEFT_OPEN) left_open++, say("word %d: left open\n", number);
    return 1;
}

int main(int count, char **arguments) {
    require(count == 4);
    is_forged = strcmp(arguments[3], "forged") == 0;
    kind = arguments[1];
    above = getppid();
    set_up(arguments);
    expect_children();
    connection f = begin_pending(REACHED);
    establish(&f, "");
    require(poll(&(struct pollfd){f.fd, POLLOUT, 0}, 1, -1) == 1);
    close(f.fd);
    close(f.far);
    find_memory();
    int number = 0;
    while (try(number)) number++;
    say("failed %s, connected %s\n", failed > 0 ? "some" : "none", connected_count > 0 ? "some" : "none");
    say("%d ended by a signal, %d without end\n", ended, endless);
    say("%d trusting, %d astray, %d misled, %d with more open\n", trusting, astray, misled, left_open);
}
