/* damaged-association HOST PORT: flips bits of the shared table's record of one socket, and restores them. Each time
 * another program, which inherits the socket, sends a datagram on it. Prints the number of these programs that a signal
 * ended, and of those that did not end within a time that is enough for many runs. Their datagrams go to the proxy or
 * nowhere.
 *
 * damaged-association HOST PORT FD: the other program. */
#include "damaged.h"
#include "datagram.h"

/* The next non-zero word from `at` on, or the end of the file. */
static off_t next_word(int fd, off_t at, uint64_t *word) {
    while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
        if (pread(fd, word, 8, at) != 8) break;
        if (*word) return at;
        at += 8;
    }
    return -1;
}

static void send_elsewhere(char **arguments, int fd, off_t at, int bit) {
    char number[12];
    snprintf(number, sizeof number, "%d", fd);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        execl("/proc/self/exe", arguments[0], arguments[1], arguments[2], number, (char *)NULL);
        _exit(1);
    }
    char found[60];
    snprintf(found, sizeof found, "bit %d of %#lx", bit, (unsigned long)at);
    status_of(child, found);
}

int main(int count, char **arguments) {
    require(count == 3 || count == 4);
    far = numeric(arguments[1], arguments[2]);
    if (count == 4) {
        sendto(atoi(arguments[3]), "question", 8, MSG_DONTWAIT, &far.any, far.length);
        return 0;
    }
    expect_children();
    struct addrinfo *list;
    require(getaddrinfo("first.test", NULL, NULL, &list) == 0);
    freeaddrinfo(list);
    int table = open_table(), words = 0;
    uint64_t word;
    enum { MOST = 4096 };
    static off_t before[MOST], changed[MOST];
    static uint64_t told[MOST];
    size_t known = 0, found = 0;
    for (off_t at = 0; (at = next_word(table, at, &word)) >= 0; at += 8) {
        require(known < MOST);
        before[known++] = at;
    }
    /* A complete record: the socket's own process has used it. */
    int fd = socket(far.any.sa_family, SOCK_DGRAM, 0);
    char answer[16];
    require(sendto(fd, "question", 8, 0, &far.any, far.length) == 8 && recv(fd, answer, sizeof answer, 0) == 8);
    size_t next = 0;
    for (off_t at = 0; (at = next_word(table, at, &word)) >= 0; at += 8) {
        while (next < known && before[next] < at) next++;
        if (next < known && before[next] == at) continue;
        require(found < MOST);
        changed[found] = at;
        told[found++] = word;
    }
    require(found > 20);
    const int bits[] = {0, 9, 17, 25, 33, 41, 57};
    for (size_t index = 0; index < found; index++) {
        for (size_t bit = 0; bit < sizeof bits / sizeof *bits; bit++) {
            uint64_t flipped = told[index] ^ (uint64_t)1 << bits[bit];
            require(pwrite(table, &flipped, 8, changed[index]) == 8);
            send_elsewhere(arguments, fd, changed[index], bits[bit]);
            /* A process that the damage misled may have written further values. */
            for (size_t each = 0; each < found; each++) require(pwrite(table, &told[each], 8, changed[each]) == 8);
            words++;
        }
    }
    require(words > 100);
    say("%d ended by a signal, %d without end\n", ended, endless);
}
