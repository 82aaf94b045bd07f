/* datagram-way NAME HOST PORT: prints what a program sees of a datagram socket that is bound to a device, or whose
 * datagrams are marked, and where the datagrams go. The probe has no capabilities, like most programs. HOST `here`
 * or `here6`: the far target is an echo server of the probe itself, to which the device `lo` leads. */
#include "datagram.h"
#include "raw.h"

#include <linux/capability.h>
#include <net/if.h>
#include <netinet/ip.h>

/* A socket of this machine, to which datagrams go directly. */
static address near_address;
static int near_socket, marked;
static const char *device = "lo";

static int bound_datagrams(address *at) {
    *at = numeric(far.any.sa_family == AF_INET ? "127.0.0.1" : "::1", "0");
    int fd = unconnected();
    require(bind(fd, &at->any, at->length) == 0 && getsockname(fd, &at->any, &at->length) == 0);
    return fd;
}

static void *serve(void *socket) {
    char bytes[100];
    for (address from;;) {
        from.length = sizeof from.storage;
        ssize_t length = recvfrom((int)(long)socket, bytes, sizeof bytes, 0, &from.any, &from.length);
        require(length >= 0);
        sendto((int)(long)socket, bytes, (size_t)length, 0, &from.any, from.length);
    }
}

static void drop_rights(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0}};
    require(syscall(SYS_capset, &header, none) == 0);
}

static int number_of(int fd, int level, int name) {
    int value = -1;
    require(getsockopt(fd, level, name, &value, &(socklen_t){sizeof value}) == 0);
    return value;
}

/* The kernel's value. */
static int kernels(int fd, int level, int name) {
    int value = -1;
    require(raw(SYS_getsockopt, fd, level, name, (long)&value, (long)&(socklen_t){sizeof value}) == 0);
    return value;
}

static const char *bind_to(int fd, const char *name) {
    return outcome(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1));
}

static int bound_socket(void) {
    int fd = unconnected();
    require(strcmp(bind_to(fd, device), "0") == 0);
    return fd;
}

static void say_way(int fd) {
    char name[IFNAMSIZ] = "?";
    socklen_t length = sizeof name;
    require(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &length) == 0);
    if (length == 0) name[0] = 0;
    int number = number_of(fd, SOL_SOCKET, SO_BINDTOIFINDEX);
    say("device '%s', %d bytes, number %s\n", name, (int)length,
        number == (int)if_nametoindex(device) ? "its own" : number ? "another" : "0");
    char few[2];
    say("in two bytes: %s\n", outcome(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, few, &(socklen_t){sizeof few})));
}

/* A question and its answer. */
static void exchange(int fd, const char *text) {
    if (sendto(fd, text, strlen(text), 0, &far.any, far.length) < 0) {
        say("sendto: %s\n", outcome(-1));
        return;
    }
    receive("far", fd, 100, 0);
}

/* The first datagram at this machine's socket; "the end" if there was none. */
static void say_near(address *from) {
    int other = unconnected();
    require(sendto(other, "the end", 7, 0, &near_address.any, near_address.length) == 7);
    char bytes[100] = {0};
    from->length = sizeof from->storage;
    require(recvfrom(near_socket, bytes, sizeof bytes - 1, 0, &from->any, &from->length) > 0);
    say("near: %s\n", bytes);
    if (strcmp(bytes, "the end") != 0) require(recv(near_socket, bytes, sizeof bytes, 0) == 7);
    close(other);
}

static int port_of_socket(int fd) {
    address name = {.length = sizeof name.storage};
    require(getsockname(fd, &name.any, &name.length) == 0);
    return ntohs(name.v4.sin_port);
}

/* A direct datagram and its answer. */
static void exchange_directly(int fd, const char *text) {
    long sent = sendto(fd, text, strlen(text), 0, &near_address.any, near_address.length);
    say("directly: %s\n", outcome(sent));
    address from;
    say_near(&from);
    if (from.v4.sin_port != htons((uint16_t)port_of_socket(fd))) return;
    say("from its port\n");
    require(sendto(near_socket, "answer", 6, 0, &from.any, from.length) == 6);
    char bytes[100] = {0};
    require(recv(fd, bytes, sizeof bytes, 0) == 6);
    say("answered: %s\n", bytes);
}

static void by_device(int by_number) {
    int fd = unconnected(), number = (int)if_nametoindex(device);
    address any = numeric(far.any.sa_family == AF_INET ? "0.0.0.0" : "::", "0");
    require(bind(fd, &any.any, any.length) == 0);
    int port = port_of_socket(fd);
    say("bind %s\n", by_number ? outcome(setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &number, sizeof number))
                               : bind_to(fd, device));
    say_way(fd);
    exchange(fd, "one");
    say_way(fd);
    say("free it %s\n", bind_to(fd, ""));
    say("bind it anew %s\n", bind_to(fd, "none"));
    say("no value %s\n", outcome(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, NULL, 4)));
    exchange_directly(fd, "two");
    exchange(fd, "three");
    say("%s port\n", port_of_socket(fd) == port ? "the same" : "another");
    say_way(fd);
    require(connect(fd, &far.any, far.length) == 0);
    say_way(fd);
    say("connected %s\n", echo(fd));
    /* This removes the binding. */
    require(connect(fd, &(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(struct sockaddr)) == 0);
    say_way(fd);
    say("bind %s\n", bind_to(fd, device));
    say_way(fd);
}

static void device_by_name(char **arguments unused) { by_device(0); }
static void device_by_number(char **arguments unused) { by_device(1); }

/* The program connects the socket before it sends. */
static void connected_first(char **arguments unused) {
    int fd = bound_socket();
    require(connect(fd, &far.any, far.length) == 0);
    say_way(fd);
    say("%s\n", echo(fd));
    say_way(fd);
}

/* IP_UNICAST_IF and IPV6_UNICAST_IF, which every program can remove again. */
static void unicast(char **arguments unused) {
    int is_ipv6 = far.any.sa_family == AF_INET6;
    int level = is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, name = is_ipv6 ? IPV6_UNICAST_IF : IP_UNICAST_IF;
    int fd = unconnected(), number = (int)htonl(if_nametoindex(device)), none = 0, wrong = (int)htonl(9999);
    say("set %s\n", outcome(setsockopt(fd, level, name, &number, sizeof number)));
    exchange(fd, "one");
    say("is %s\n", number_of(fd, level, name) == number ? "as set" : "another");
    exchange_directly(fd, "two");
    say("wrong %s\n", outcome(setsockopt(fd, level, name, &wrong, sizeof wrong)));
    say("short %s\n", outcome(setsockopt(fd, level, name, &number, 2)));
    say("is %s\n", number_of(fd, level, name) == number ? "as set" : "another");
    say("unset %s\n", outcome(setsockopt(fd, level, name, &none, sizeof none)));
    say("is %d\n", number_of(fd, level, name));
    exchange(fd, "three");
}

/* The program binds the socket after its first relayed datagrams. */
static void later(char **arguments unused) {
    int fd = unconnected();
    exchange(fd, "one");
    say("wrong %s\n", bind_to(fd, "none"));
    say("short %s\n", outcome(setsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, &(int){1}, 2)));
    say_way(fd);
    say("bind %s\n", bind_to(fd, device));
    say_way(fd);
    say("free it %s\n", bind_to(fd, ""));
    int number = 7;
    say("mark %s\n", outcome(setsockopt(fd, SOL_SOCKET, SO_MARK, &number, sizeof number)));
    exchange(fd, "two");
    exchange_directly(fd, "three");
}

/* A direct datagram fails if the device does not lead to its destination. */
static void elsewhere(char **arguments unused) {
    int fd = bound_socket(), copy = dup(fd);
    exchange(fd, "one");
    address from;
    sendto(fd, "two", 3, MSG_DONTWAIT, &near_address.any, near_address.length);
    say_near(&from);
    sendto(copy, "by a copy", 9, MSG_DONTWAIT, &near_address.any, near_address.length);
    say_near(&from);
    struct iovec part = {"in a batch", 10};
    struct mmsghdr batch[2] = {0};
    for (int index = 0; index < 2; index++) {
        const address *to = index ? &near_address : &far;
        batch[index].msg_hdr = (struct msghdr){
            .msg_name = (void *)&to->any, .msg_namelen = to->length, .msg_iov = &part, .msg_iovlen = 1};
    }
    sendmmsg(fd, batch, 2, MSG_DONTWAIT);
    receive("far", fd, 100, 0);
    say_near(&from);
}

/* A process that inherited the socket sends it no other way, either. */
static void forked(char **arguments unused) {
    int fd = bound_socket(), go[2], done[2];
    require(pipe(go) == 0 && pipe(done) == 0);
    pid_t child = fork();
    require(child >= 0);
    if (child == 0) {
        char byte;
        require(read(go[0], &byte, 1) == 1);
        sendto(fd, "by a child", 10, MSG_DONTWAIT, &near_address.any, near_address.length);
        connect(fd, &near_address.any, near_address.length);
        send(fd, "by a child", 10, MSG_DONTWAIT);
        _exit(write(done[1], "x", 1) == 1 ? 0 : 1);
    }
    exchange(fd, "one");
    char byte;
    require(write(go[1], "x", 1) == 1 && read(done[0], &byte, 1) == 1);
    address from;
    say_near(&from);
    require(waitpid(child, NULL, 0) == child);
}

/* The program connects the socket directly afterwards: then the kernel honours the device. */
static void directly(char **arguments unused) {
    int fd = bound_socket();
    exchange(fd, "one");
    say("the kernel's %d\n", kernels(fd, SOL_SOCKET, SO_BINDTOIFINDEX));
    say("connect %s\n", outcome(connect(fd, &near_address.any, near_address.length)));
    say_way(fd);
    say("the kernel's %d\n", kernels(fd, SOL_SOCKET, SO_BINDTOIFINDEX));
    require(send(fd, "two", 3, 0) == 3);
    address from;
    say_near(&from);
}

/* The program connects the socket directly before: its datagrams may leave by no other device. */
static void directly_before(char **arguments unused) {
    int fd = bound_socket();
    require(connect(fd, &near_address.any, near_address.length) == 0);
    exchange(fd, "one");
    say("the kernel's %d\n", kernels(fd, SOL_SOCKET, SO_BINDTOIFINDEX));
    require(send(fd, "two", 3, 0) == 3);
    address from;
    say_near(&from);
}

/* The other control messages stay with the datagram. */
static void controlled(char **arguments unused) {
    int fd = bound_socket(), is_ipv6 = far.any.sa_family == AF_INET6;
    exchange(fd, "one");
    int level = is_ipv6 ? SOL_IPV6 : SOL_IP, type = is_ipv6 ? IPV6_TCLASS : IP_TOS, value = 0x48;
    require(setsockopt(near_socket, level, is_ipv6 ? IPV6_RECVTCLASS : IP_RECVTOS, &(int){1}, sizeof(int)) == 0);
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {.header = {CMSG_LEN(sizeof(int)), level, type}};
    memcpy(CMSG_DATA(&control.header), &value, sizeof value);
    char bytes[] = "two";
    struct iovec part = {bytes, 3};
    struct msghdr message = {
        .msg_name = &near_address.any, .msg_namelen = near_address.length, .msg_iov = &part, .msg_iovlen = 1,
        .msg_control = &control, .msg_controllen = sizeof control};
    say("sendmsg %s\n", outcome(sendmsg(fd, &message, 0)));
    message.msg_name = NULL;
    message.msg_namelen = 0;
    require(recvmsg(near_socket, &message, 0) == 3);
    say("with %x\n", (unsigned)*(uint8_t *)CMSG_DATA(&control.header));
}

/* Set by the program that was executed before. */
static void inherited(char **arguments unused) {
    say_way(3);
    exchange(3, "one");
    say_way(3);
}

/* The program has the right to mark. */
static void unmarked(char **arguments unused) {
    exchange(marked, "one");
    say("mark %d\n", number_of(marked, SOL_SOCKET, SO_MARK));
    say("the kernel's %d\n", kernels(marked, SOL_SOCKET, SO_MARK));
    int other = 8;
    say("another %s\n", outcome(setsockopt(marked, SOL_SOCKET, SO_MARK, &other, sizeof other)));
    say("mark %d\n", number_of(marked, SOL_SOCKET, SO_MARK));
    require(setsockopt(near_socket, SOL_SOCKET, 75 /* SO_RCVMARK */, &(int){1}, sizeof(int)) == 0);
    say("directly: %s\n", outcome(sendto(marked, "two", 3, 0, &near_address.any, near_address.length)));
    char bytes[100];
    struct iovec part = {bytes, sizeof bytes};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    require(recvmsg(near_socket, &message, 0) == 3);
    int mark = -1;
    memcpy(&mark, CMSG_DATA(&control.header), sizeof mark);
    say("marked %d\n", mark);
}

/* A query to a name server, which the library answers. */
static void question(char **arguments unused) {
    static const char asked[] = "\1\2\1\0\0\1\0\0\0\0\0\0\3web\4test\0\0\1\0\1";
    int fd = bound_socket();
    unsigned char answer[512];
    require(sendto(fd, asked, sizeof asked - 1, 0, &far.any, far.length) == sizeof asked - 1);
    require(recv(fd, answer, sizeof answer, 0) > (ssize_t)sizeof asked - 1);
    say("answered %d\n", answer[7]);
}

/* The socket receives no datagram that may have come by another device, as long as the rules call its source far. */
static void strangers(char **arguments unused) {
    for (int is_bound = 0; is_bound < 2; is_bound++) {
        address own;
        int fd = bound_datagrams(&own), other = unconnected();
        address any = numeric(far.any.sa_family == AF_INET ? "0.0.0.0" : "::", "0");
        close(fd);
        fd = unconnected();
        require(bind(fd, &any.any, any.length) == 0);
        own.v4.sin_port = htons((uint16_t)port_of_socket(fd));
        if (is_bound) require(strcmp(bind_to(fd, device), "0") == 0);
        exchange(fd, "one");
        struct iovec part = {"stranger", 8};
        struct msghdr message = {
            .msg_name = &own.any, .msg_namelen = own.length, .msg_iov = &part, .msg_iovlen = 1};
        require(raw(SYS_sendmsg, other, (long)&message, 0, 0, 0) == 8);
        exchange(fd, "two");
        if (!is_bound) receive("then", fd, 100, 0);
    }
}

int main(int count, char **arguments) {
    static const struct scenario scenarios[] = {
        {"device", device_by_name}, {"number", device_by_number}, {"connected", connected_first}, {"unicast", unicast},
        {"later", later}, {"elsewhere", elsewhere}, {"forked", forked}, {"directly", directly},
        {"directly-before", directly_before}, {"controlled", controlled}, {"inherited", inherited},
        {"unmarked", unmarked}, {"question", question}, {"strangers", strangers},
    };
    require(count >= 4);
    alarm(50);
    int is_here = strncmp(arguments[2], "here", 4) == 0;
    far = is_here ? numeric(strcmp(arguments[2], "here6") == 0 ? "::1" : "127.0.0.1", "0")
                  : numeric(arguments[2], arguments[3]);
    near_socket = bound_datagrams(&near_address);
    if (is_here) {
        pthread_t thread;
        long echoing = bound_datagrams(&far);
        require(pthread_create(&thread, NULL, serve, (void *)echoing) == 0);
    }
    static const char *const far_from_here[] = {"elsewhere", "forked", "question"};
    for (int index = 0; index < 3; index++)
        if (strcmp(arguments[1], far_from_here[index]) == 0) device = "client";
    if (count == 4 && strcmp(arguments[1], "inherited") == 0) {
        int fd = bound_socket();
        require(dup2(fd, 3) == 3);
        execl("/proc/self/exe", arguments[0], arguments[1], arguments[2], arguments[3], "again", NULL);
        require(!"executed");
    }
    marked = unconnected();
    require(setsockopt(marked, SOL_SOCKET, SO_MARK, &(int){7}, sizeof(int)) == 0);
    if (strcmp(arguments[1], "unmarked") != 0) drop_rights();
    for (size_t index = 0; index < sizeof scenarios / sizeof *scenarios; index++) {
        if (strcmp(scenarios[index].name, arguments[1]) != 0) continue;
        scenarios[index].run(arguments + 4);
        return 0;
    }
    require(!"a case of this probe");
}
