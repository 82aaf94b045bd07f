#include "NetworkFilter.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include "CKernel.h"

/* ----- The tree's key ----- */

uint64_t network_key(const char *table) {
    if (!table || !*table) return 0;
    /* FNV-1a. */
    uint64_t hash = 0xcbf29ce484222325;
    for (; *table; table++) hash = (hash ^ (uint8_t)*table) * 0x100000001b3;
    return hash | 1;
}

/* ----- Inherited sockets ----- */

static int is_local(int domain) {
    return domain == AF_UNIX || domain == AF_NETLINK || domain == AF_ALG;
}

static int is_network_socket(int fd) {
    int domain = AF_UNIX;
    return kernel_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, sizeof domain) == 0 && !is_local(domain);
}

/* The descriptor that an entry of /proc/self/fd names; -1 for other entries. */
static int descriptor_of(const char *name) {
    if (*name < '0' || *name > '9') return -1;
    int number = 0;
    for (; *name >= '0' && *name <= '9'; name++) number = (int)((unsigned)number * 10 + (unsigned)(*name - '0'));
    return number;
}

int network_sockets_are_held(int closed_on_exec_too) {
    struct entry {
        uint64_t inode;
        int64_t next;
        uint16_t size;
        uint8_t type;
        char name[];
    };
    _Alignas(uint64_t) char entries[1024];
    int folder = (int)kernel_open_folder("/proc/self/fd"), are_held = 0;
    /* If the list cannot be read, assume that there are some. */
    if (folder < 0) return 1;
    for (;;) {
        long count = kernel_list_folder(folder, entries, sizeof entries);
        if (count < 0) are_held = 1;
        if (count <= 0) break;
        for (long at = 0; at < count && !are_held; at += ((struct entry *)(entries + at))->size) {
            int fd = descriptor_of(((struct entry *)(entries + at))->name);
            if (fd < 0 || fd == folder) continue;
            if (!closed_on_exec_too && kernel_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0) & FD_CLOEXEC) continue;
            are_held = is_network_socket(fd);
        }
        if (are_held) break;
    }
    kernel_close(folder);
    return are_held;
}

/* ----- The filter ----- */

/* The numbers of system calls in one architecture. */
struct calls {
    uint32_t architecture, socket, connect, sendto, sendmsg, sendmmsg;
};

static const struct calls native = {
#if defined(__x86_64__)
    AUDIT_ARCH_X86_64,
#elif defined(__aarch64__)
    AUDIT_ARCH_AARCH64,
#endif
    SYS_socket, SYS_connect, SYS_sendto, SYS_sendmsg, SYS_sendmmsg,
};
/* For 32-bit programs. */
static const struct calls compatible = {
#if defined(__x86_64__)
    AUDIT_ARCH_I386, 359, 362, 369, 370, 345,
#elif defined(__aarch64__)
    AUDIT_ARCH_ARM, 281, 283, 290, 296, 374,
#endif
};

struct filter {
    struct sock_filter code[120];
    unsigned short length;
};

static void add(struct filter *filter, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false) {
    filter->code[filter->length++] = (struct sock_filter){code, if_true, if_false, value};
}

static void load(struct filter *filter, size_t offset) {
    add(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void give(struct filter *filter, uint32_t result) {
    add(filter, BPF_RET | BPF_K, result, 0, 0);
}

/* If the loaded word is not `value`, skips the next `skipped` instructions. */
static void require(struct filter *filter, uint32_t value, uint8_t skipped) {
    add(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, skipped);
}

static void refuse(struct filter *filter, uint32_t call, uint32_t error) {
    require(filter, call, 1);
    give(filter, SECCOMP_RET_ERRNO | error);
}

/* The offsets of an argument's lower and upper 32 bits. */
static size_t lower(int argument) {
    return offsetof(struct seccomp_data, args) + (size_t)argument * sizeof(uint64_t);
}

static size_t upper(int argument) {
    return lower(argument) + sizeof(uint32_t);
}

/* Expects that the call number is loaded. */
static void refuse_destinations(struct filter *filter, const struct calls *calls) {
    refuse(filter, calls->connect, EACCES);
    refuse(filter, calls->sendmsg, EACCES);
    refuse(filter, calls->sendmmsg, EACCES);
    require(filter, calls->sendto, 6);
    load(filter, lower(4));
    require(filter, 0, 3);
    load(filter, upper(4));
    require(filter, 0, 1);
    give(filter, SECCOMP_RET_ALLOW);
    give(filter, SECCOMP_RET_ERRNO | EACCES);
}

/* Expects that the call number is loaded. Allows all calls except those for sockets. */
static void judge_socket(struct filter *filter, const struct calls *calls, uint64_t key) {
    static const uint32_t families[] = {AF_UNIX, AF_NETLINK, AF_ALG};
    enum { FAMILIES = sizeof families / sizeof *families };
    require(filter, calls->socket, (key ? 5 : 0) + 1 + 2 * FAMILIES + 1);
    if (key) {
        load(filter, lower(3));
        require(filter, (uint32_t)key, 3);
        load(filter, upper(3));
        require(filter, (uint32_t)(key >> 32), 1);
        give(filter, SECCOMP_RET_ALLOW);
    }
    load(filter, lower(0));
    for (int index = 0; index < FAMILIES; index++) {
        require(filter, families[index], 1);
        give(filter, SECCOMP_RET_ALLOW);
    }
    give(filter, SECCOMP_RET_ERRNO | EACCES);
    give(filter, SECCOMP_RET_ALLOW);
}

/* Judges the calls of one architecture; calls of others skip it. */
static void judge(struct filter *filter, const struct calls *calls, uint64_t key, int sockets_are_held) {
    load(filter, offsetof(struct seccomp_data, arch));
    unsigned short branch = filter->length;
    require(filter, calls->architecture, 0);
    load(filter, offsetof(struct seccomp_data, nr));
#if defined(__x86_64__)
    /* Programs of the x32 ABI set a bit in the number, and have their own numbers for two calls. */
    add(filter, BPF_ALU | BPF_AND | BPF_K, ~(uint32_t)0x40000000, 0, 0);
    if (sockets_are_held && calls == &native) {
        refuse(filter, 518 /* sendmsg */, EACCES);
        refuse(filter, 538 /* sendmmsg */, EACCES);
    }
    /* 32-bit programs may also use socketcall(2). Its arguments lie in memory, which a filter cannot read. */
    if (calls == &compatible) {
        enum { SOCKETCALL = 102, SOCKET = 1, CONNECT = 3, SENDTO = 11, SENDMSG = 16, SENDMMSG = 20 };
        static const uint32_t parts[] = {SOCKET, CONNECT, SENDTO, SENDMSG, SENDMMSG};
        unsigned count = sockets_are_held ? sizeof parts / sizeof *parts : 1;
        require(filter, SOCKETCALL, (uint8_t)(2 + 2 * count));
        load(filter, lower(0));
        for (unsigned index = 0; index < count; index++) refuse(filter, parts[index], EACCES);
        give(filter, SECCOMP_RET_ALLOW);
    }
#endif
    /* Same numbers on all architectures: io_uring_setup, io_uring_enter, io_uring_register; pidfd_getfd. */
    for (uint32_t call = 425; call <= 427; call++) refuse(filter, call, ENOSYS);
    refuse(filter, 438, EPERM);
    if (sockets_are_held) refuse_destinations(filter, calls);
    judge_socket(filter, calls, key);
    filter->code[branch].jf = (uint8_t)(filter->length - branch - 1);
}

long network_forbid(uint64_t key, int sockets_are_held) {
    struct filter filter = {.length = 0};
    judge(&filter, &native, key, sockets_are_held);
    /* The library does not exist for 32-bit programs, so none has the key. */
    judge(&filter, &compatible, 0, sockets_are_held);
    give(&filter, SECCOMP_RET_ERRNO | ENOSYS);
    const struct sock_fprog program = {filter.length, filter.code};
    long result = kernel_call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0);
    return result < 0 ? result : kernel_call(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&program, 0, 0, 0);
}
