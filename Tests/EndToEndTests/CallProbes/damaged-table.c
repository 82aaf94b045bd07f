/* damaged-table HOST PORT NAME PORT: changes one word after the other of the table that processes share through a
 * file, and restores it. Each time a child uses the network: the UDP echo server at HOST, by a socket of its own and
 * by an inherited one, a new name, and the TCP echo server at NAME. Prints the number of children that a signal
 * ended, and of those that did not end within a time that is enough for many runs. */
#include "damaged.h"
#include "datagram.h"

#include <sys/stat.h>

enum { PAGE = 4096, WORDS = PAGE / 8, TOGETHER = 64, MOST_PAGES = 4096 };

static const char *name, *port;
static int kept;

static void ask(int fd) {
    char answer[16];
    struct timeval limit = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (send(fd, "question", 8, 0) == 8) recv(fd, answer, sizeof answer, 0);
}

static void use_network(const char *other) {
    int fd = socket(far.any.sa_family, SOCK_DGRAM, 0);
    if (connect(fd, &far.any, far.length) == 0) ask(fd);
    ask(kept);
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    if (getaddrinfo(other, NULL, &hints, &list) == 0) freeaddrinfo(list);
    if (getaddrinfo(name, port, &hints, &list) == 0) {
        int connection = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(connection, list->ai_addr, list->ai_addrlen) == 0) echo(connection);
        peer_of(connection);
        close(connection);
        freeaddrinfo(list);
    }
    close(fd);
}

/* The result does not matter. */
static void try(const char *what, off_t at, uint64_t value) {
    static int number;
    char other[32];
    snprintf(other, sizeof other, "n%d.test", number++);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        use_network(other);
        _exit(0);
    }
    char found[80];
    snprintf(found, sizeof found, "%s at %#lx as %#lx", what, (unsigned long)at, (unsigned long)value);
    status_of(child, found);
}

int main(int count, char **arguments) {
    require(count == 5);
    far = numeric(arguments[1], arguments[2]);
    name = arguments[3], port = arguments[4];
    expect_children();
    kept = connected();
    use_network("first.test");
    int fd = open_table(), used = 0;
    const uint64_t values[] = {(uint64_t)1 << 63, ~(uint64_t)0, 1, (uint64_t)getppid(), (uint64_t)1 << 32};
    /* The children add records to the table; their own records do not matter any more. */
    static off_t pages[MOST_PAGES];
    int page_count = 0;
    for (off_t at = 0; page_count < MOST_PAGES && (at = lseek(fd, at, SEEK_DATA)) >= 0; at += PAGE)
        pages[page_count++] = at / PAGE * PAGE;
    for (int page = 0; page < page_count; page++) {
        uint64_t words[WORDS], others[TOGETHER];
        require(pread(fd, words, sizeof words, pages[page]) == sizeof words);
        for (int word = 0; word < WORDS; word++) {
            if (words[word] == 0) continue;
            off_t at = pages[page] + word * 8;
            uint64_t value = values[used++ % (int)(sizeof values / sizeof *values)];
            require(pwrite(fd, &value, 8, at) == 8);
            try("word", at, value);
            /* The word is a count or a time. */
            if (words[word] < (uint64_t)1 << 48 && value != values[0]) {
                require(pwrite(fd, &values[0], 8, at) == 8);
                try("number", at, values[0]);
            }
            require(pwrite(fd, &words[word], 8, at) == 8);
        }
        /* Empty locks, counts and lists. */
        for (int word = 0; word < WORDS; word += TOGETHER) {
            off_t at = pages[page] + word * 8;
            for (int index = 0; index < TOGETHER; index++)
                others[index] = words[word + index] ? words[word + index] : (uint64_t)getppid();
            require(pwrite(fd, others, sizeof others, at) == sizeof others);
            try("zeros", at, (uint64_t)getppid());
            require(pwrite(fd, words + word, sizeof others, at) == sizeof others);
        }
    }
    /* The number of words varies with times and numbers that happen to be 0; an unused table has only a few. */
    if (used <= 50) say("%d words in %d pages alone\n", used, page_count);
    say("%d ended by a signal, %d without end\n", ended, endless);
}
