/* datagram-sparing CASE HOST PORT: programs that close all open descriptors besides their socket, or reuse the
 * numbers. */
#include "datagram.h"

static int fd;

static void ask(const char *text) {
    send_text(fd, text);
    receive(text, fd, 100, 0);
}

/* The descriptors that the program has not opened. */
static int others(int numbers[], int room) {
    int count = 0;
    for (int number = fd + 1; number < 70000 && count < room; number++)
        if (fcntl(number, F_GETFD) >= 0) numbers[count++] = number;
    return count;
}

static void by_range(char **arguments unused) {
    require(close_range((unsigned)fd + 1, ~0U, 0) == 0);
    ask("all above");
    require(close_range((unsigned)fd + 1, ~0U, CLOSE_RANGE_UNSHARE) == 0);
    ask("in a table of its own");
    int numbers[8], count = others(numbers, 8);
    for (int index = 0; index < count; index++)
        require(close_range((unsigned)numbers[index], (unsigned)numbers[index], 0) == 0);
    ask("one by one");
    say("%s\n", outcome(close_range(9, 8, 0)));
    say("%s\n", outcome(close_range(9, ~0U, 1 << 20)));
    ask("none");
}

static void by_closefrom(char **arguments unused) {
    closefrom(fd + 1);
    ask("all above");
}

static void by_close(char **arguments unused) {
    for (int number = fd + 1; number < 8192; number++) close(number);
    ask("all above");
}

/* Descriptors that the program opens in between are closed. */
static void beside(char **arguments unused) {
    int below = dup(fd), above = fcntl(fd, F_DUPFD, 900);
    require(below >= 0 && above == 900);
    require(close_range((unsigned)below, ~0U, 0) == 0);
    say("%s, ", outcome(fcntl(below, F_GETFD)));
    say("%s\n", outcome(fcntl(above, F_GETFD)));
    ask("all but the socket");
}

static void by_dup2(char **arguments unused) {
    int pair[2], numbers[8], count = others(numbers, 8);
    require(pipe(pair) == 0 && write(pair[1], "xy", 2) == 2);
    for (int index = 0; index < count; index++) {
        char byte;
        require(dup2(pair[0], numbers[index]) == numbers[index]);
        ask("its number is another file's");
        require(read(numbers[index], &byte, 1) == 1 && close(numbers[index]) == 0);
    }
    if (count == 0) ask("its number is another file's");
    ask("and free");
}

#define CASE(name, body)                              \
    static void name##_after_first(char **arguments) { \
        fd = unconnected();                           \
        ask("first");                                 \
        body(arguments);                              \
    }
CASE(range, by_range)
CASE(closefrom, by_closefrom)
CASE(close, by_close)
CASE(beside, beside)
CASE(dup2, by_dup2)

SCENARIOS({"close_range", range_after_first}, {"closefrom", closefrom_after_first}, {"close", close_after_first},
          {"beside", beside_after_first}, {"dup2", dup2_after_first})
