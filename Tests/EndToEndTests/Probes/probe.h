/* What the probes share. A probe is a small program that makes exact calls and prints what came of them, one line for
 * each thing that a test looks at. `probe NAME ARGUMENT...` runs one. */
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

/* The address written as `host` and `port`; ends the probe when it is none. */
struct target target(const char *host, const char *port);
/* A stream socket of the target's family. */
int stream(const struct target *target, int flags);
/* "ok", or the name of the errno that goes with -1. */
const char *result(int returned);
/* Connects and gives the descriptor, or ends the probe. */
int connected(const struct target *target);
/* Sends text and prints what comes back, as many bytes. */
void exchange(int descriptor, const char *text);
/* "family host port" of an address. */
const char *described(const void *address);
/* How many descriptors the process has open. */
int descriptors(void);

struct probe {
    const char *name;
    int (*run)(int count, char **arguments);
};

extern const struct probe connect_probes[];
