/* Shared code of the probes. A probe is a small program that makes exact calls and prints the results, one line for
 * each fact that a test compares. `probe NAME ARGUMENT...` runs one. */
#pragma once

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

struct target {
    struct sockaddr_storage address;
    socklen_t length;
};

#define ADDRESS(target) ((const struct sockaddr *)&(target).address)

/* The address from `host` and `port`; ends the probe when they are invalid. */
struct target target(const char *host, const char *port);
/* A stream socket of the target's family. */
int stream(const struct target *target, int flags);
/* "ok", or the name of the errno for -1. */
const char *result(int returned);
/* Connects and returns the descriptor, or ends the probe. */
int connected(const struct target *target);
/* Sends text, receives as many bytes, and prints them. */
void exchange(int descriptor, const char *text);
/* "family host port" of an address. */
const char *described(const void *address);
/* The number of open descriptors of the process. */
int descriptors(void);

struct probe {
    const char *name;
    int (*run)(int count, char **arguments);
};

extern const struct probe connect_probes[];
