#include "probe.h"

struct target target(const char *host, const char *port) {
    struct target target = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&target.address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&target.address;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(atoi(port));
        target.length = sizeof *v4;
    } else if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(atoi(port));
        target.length = sizeof *v6;
    } else {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
        int failure = getaddrinfo(host, port, &hints, &list);
        if (failure) {
            printf("getaddrinfo: %s\n", gai_strerror(failure));
            exit(2);
        }
        memcpy(&target.address, list->ai_addr, list->ai_addrlen);
        target.length = list->ai_addrlen;
        freeaddrinfo(list);
    }
    return target;
}

int stream(const struct target *target, int flags) {
    int descriptor = socket(target->address.ss_family, SOCK_STREAM | flags, 0);
    if (descriptor < 0) {
        printf("socket: %s\n", result(-1));
        exit(2);
    }
    return descriptor;
}

const char *result(int returned) { return returned < 0 ? strerrorname_np(errno) : "ok"; }

int connected(const struct target *target) {
    int descriptor = stream(target, 0);
    if (connect(descriptor, ADDRESS(*target), target->length) < 0) {
        printf("connect: %s\n", result(-1));
        exit(2);
    }
    return descriptor;
}

static size_t receive(int descriptor, char *buffer, size_t length) {
    size_t received = 0;
    while (received < length) {
        ssize_t count = read(descriptor, buffer + received, length - received);
        if (count < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){.fd = descriptor, .events = POLLIN}, 1, -1);
            continue;
        }
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) break;
        received += count;
    }
    return received;
}

void exchange(int descriptor, const char *text) {
    char buffer[256] = "";
    if (write(descriptor, text, strlen(text)) < 0) {
        printf("write: %s\n", result(-1));
        return;
    }
    receive(descriptor, buffer, strlen(text));
    printf("%s\n", buffer);
}

const char *described(const void *address) {
    static char text[100];
    char host[INET6_ADDRSTRLEN] = "";
    const struct sockaddr_in *v4 = address;
    const struct sockaddr_in6 *v6 = address;
    if (v4->sin_family == AF_INET)
        snprintf(text, sizeof text, "inet %s %d", inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host),
                 ntohs(v4->sin_port));
    else if (v6->sin6_family == AF_INET6)
        snprintf(text, sizeof text, "inet6 %s %d", inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host),
                 ntohs(v6->sin6_port));
    else
        snprintf(text, sizeof text, "family %d", v4->sin_family);
    return text;
}

int descriptors(void) {
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory)) count++;
    closedir(directory);
    return count;
}

int main(int count, char **arguments) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (const struct probe *probe = connect_probes; count > 1 && probe->name; probe++)
        if (!strcmp(probe->name, arguments[1])) return probe->run(count - 2, arguments + 2);
    fprintf(stderr, "no such probe: %s\n", count > 1 ? arguments[1] : "");
    return 64;
}
