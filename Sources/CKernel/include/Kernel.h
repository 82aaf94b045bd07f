/* System calls without libc in between.
 *
 * In C, because Swift has no inline assembly. The library's own input and output goes this way: libc's wrappers are
 * cancellation points (those that must be are in CancellableCalls.h); they are what other preloaded libraries replace;
 * and they need to be found first, while these work before any constructor ran, in a signal handler, and in a child
 * of vfork.
 *
 * Every function returns what the kernel returns: a negative error number on failure. `errno` is left alone. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
#else
#error "socksify knows the system call instruction of x86-64 and AArch64 only"
#endif
}

/* geteuid(2) */
static inline uint32_t kernel_effective_user(void) {
    return (uint32_t)kernel_call(SYS_geteuid, 0, 0, 0, 0, 0, 0);
}

static inline long kernel_process_id(void) {
    return kernel_call(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline long kernel_connect(int fd, const void *_Nonnull address, socklen_t length) {
    return kernel_call(SYS_connect, fd, (long)address, length, 0, 0, 0);
}

static inline long kernel_send(int fd, const void *_Nonnull bytes, size_t count, int flags) {
    return kernel_call(SYS_sendto, fd, (long)bytes, (long)count, flags, 0, 0);
}

/* sendto(2) */
static inline long kernel_send_to(int fd, const void *_Nonnull bytes, size_t count, int flags,
                                  const void *_Nullable address, socklen_t length) {
    return kernel_call(SYS_sendto, fd, (long)bytes, (long)count, flags, (long)address, length);
}

static inline long kernel_receive(int fd, void *_Nonnull bytes, size_t count, int flags) {
    return kernel_call(SYS_recvfrom, fd, (long)bytes, (long)count, flags, 0, 0);
}

/* Reads one option of `length` bytes. */
static inline long kernel_getsockopt(int fd, int level, int option, void *_Nonnull value, socklen_t length) {
    return kernel_call(SYS_getsockopt, fd, level, option, (long)value, (long)&length, 0);
}

static inline long kernel_setsockopt(int fd, int level, int option, const void *_Nonnull value, socklen_t length) {
    return kernel_call(SYS_setsockopt, fd, level, option, (long)value, length, 0);
}

/* getsockopt(2) with memory of the program's, which need not be there. */
static inline long kernel_ask_option(int fd, int level, int option, void *_Nullable value,
                                     socklen_t *_Nullable length) {
    return kernel_call(SYS_getsockopt, fd, level, option, (long)value, (long)length, 0);
}

/* setsockopt(2), likewise. */
static inline long kernel_give_option(int fd, int level, int option, const void *_Nullable value, socklen_t length) {
    return kernel_call(SYS_setsockopt, fd, level, option, (long)value, length, 0);
}

static inline long kernel_socket(int domain, int type, int protocol) {
    return kernel_call(SYS_socket, domain, type, protocol, 0, 0, 0);
}

static inline long kernel_bind(int fd, const void *_Nonnull address, socklen_t length) {
    return kernel_call(SYS_bind, fd, (long)address, length, 0, 0, 0);
}

static inline long kernel_getsockname(int fd, void *_Nonnull address, socklen_t *_Nonnull length) {
    return kernel_call(SYS_getsockname, fd, (long)address, (long)length, 0, 0, 0);
}

static inline long kernel_getpeername(int fd, void *_Nonnull address, socklen_t *_Nonnull length) {
    return kernel_call(SYS_getpeername, fd, (long)address, (long)length, 0, 0, 0);
}

static inline long kernel_shutdown(int fd, int how) {
    return kernel_call(SYS_shutdown, fd, how, 0, 0, 0, 0);
}

/* Whether a program that is executed will have the descriptor (fcntl(2), FD_CLOEXEC). */
static inline int kernel_is_inherited(int fd) {
    long flags = kernel_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0);
    return flags >= 0 && !(flags & FD_CLOEXEC);
}

/* fcntl(F_GETFL) */
static inline long kernel_status_flags(int fd) {
    return kernel_call(SYS_fcntl, fd, 3, 0, 0, 0, 0);
}

/* Gives a file the status flags of another, and has the kernel send its signals (fcntl(2), O_ASYNC) as for that one. */
static inline void kernel_take_over_flags(int fd, int from) {
    struct {
        int type, process;
    } owner;
    if (kernel_call(SYS_fcntl, from, 16 /* F_GETOWN_EX */, (long)&owner, 0, 0, 0) == 0 && owner.process != 0)
        kernel_call(SYS_fcntl, fd, 15 /* F_SETOWN_EX */, (long)&owner, 0, 0, 0);
    long signal = kernel_call(SYS_fcntl, from, 11 /* F_GETSIG */, 0, 0, 0, 0);
    if (signal > 0) kernel_call(SYS_fcntl, fd, 10 /* F_SETSIG */, signal, 0, 0, 0);
    kernel_call(SYS_fcntl, fd, F_SETFL, kernel_status_flags(from), 0, 0, 0);
}

/* Has a descriptor stand for what another one stands for (dup3(2)). Whether it is closed on exec stays as it was. */
static inline long kernel_redirect(int fd, int to) {
    long flags = kernel_call(SYS_fcntl, fd, F_GETFD, 0, 0, 0, 0);
    if (flags < 0) return flags;
    return kernel_call(SYS_dup3, to, fd, flags & FD_CLOEXEC ? O_CLOEXEC : 0, 0, 0, 0);
}

/* Bytes that lie there to be read (tcp(7), SIOCINQ). */
static inline long kernel_unread(int fd) {
    int count = 0;
    long result = kernel_call(SYS_ioctl, fd, FIONREAD, (long)&count, 0, 0, 0);
    return result < 0 ? result : count;
}

/* Whether a descriptor is ready for POLLIN or POLLOUT, an error included, by pselect6(2): 1, or 0 when the time is
 * over; NULL waits without limit. The signals are blocked meanwhile, where they are given. For processes that may have
 * no descriptors (RLIMIT_NOFILE of 0), in which ppoll(2) takes none either. */
enum { SELECT_LARGEST = 8192, SELECT_WORD_BITS = 8 * sizeof(long) };
struct select_set {
    unsigned long words[SELECT_LARGEST / SELECT_WORD_BITS];
};
static inline long kernel_select(int fd, int event, const struct timespec *_Nullable limit,
                                 const uint64_t *_Nullable signals, struct select_set *_Nonnull set) {
    if (fd < 0 || fd >= SELECT_LARGEST) return -EINVAL;
    for (int word = 0; word <= fd / SELECT_WORD_BITS; word++) set->words[word] = 0;
    set->words[fd / SELECT_WORD_BITS] = 1UL << (fd % SELECT_WORD_BITS);
    struct timespec left = {0, 0};
    if (limit) left = *limit;
    const struct {
        const uint64_t *signals;
        size_t size;
    } mask = {signals, 8};
    return kernel_call(SYS_pselect6, fd + 1, event == POLLIN ? (long)set : 0, event == POLLIN ? 0 : (long)set, 0,
                       limit ? (long)&left : 0, (long)&mask);
}

/* Whether eight bytes can be read there. Asked by a call that reads them first, and then refuses what it is to do with
 * them. */
static inline int kernel_can_read(const void *_Nullable start) {
    return start && kernel_call(SYS_rt_sigprocmask, -1, (long)start, 0, 8, 0, 0) != -EFAULT;
}

/* What of `events` (and POLLERR, POLLHUP, POLLNVAL) is there now; 0: nothing. */
static inline long kernel_poll_now(int fd, int events) {
    struct {
        int fd;
        short events, revents;
    } poll = {fd, (short)events, 0};
    struct timespec now = {0, 0};
    long result;
    /* A handler that runs just then is no answer: what an epoll has told once is not told again. */
    do {
        result = kernel_call(SYS_ppoll, (long)&poll, 1, (long)&now, 0, 8, 0);
    } while (result == -EINTR);
    if (result == -EINVAL) {
        struct select_set set;
        for (int event = POLLIN; event <= POLLOUT; event <<= 2)
            if (events & event && kernel_select(fd, event, &now, NULL, &set) > 0) poll.revents |= event;
        return poll.revents;
    }
    return result < 0 ? result : poll.revents;
}

/* epoll_ctl(2) */
static inline long kernel_epoll_ctl(int epoll, int operation, int fd, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return kernel_call(SYS_epoll_ctl, epoll, operation, fd, (long)&event, 0, 0);
}

/* fcntl(F_DUPFD_CLOEXEC): the lowest free descriptor from `least` on. */
static inline long kernel_duplicate(int fd, int least) {
    return kernel_call(SYS_fcntl, fd, 1030, least, 0, 0, 0);
}

/* Whether two descriptors of the process stand for the same (kcmp(2)). Where the kernel does not tell, they may. */
static inline int kernel_is_same_file(int fd, int other) {
    long process = kernel_process_id();
    return kernel_call(SYS_kcmp, process, process, 0 /* KCMP_FILE */, fd, other, 0) <= 0;
}

/* Nobody is waited for: not for the other end of a pipe, either. */
static inline long kernel_open_to_read(const char *_Nonnull path) {
    return kernel_call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0, 0, 0);
}

/* Whether there is something by this name: to ask takes no right to it, only to the folders that lead to it. */
static inline int kernel_is_there(const char *_Nonnull path) {
    return kernel_call(SYS_faccessat, AT_FDCWD, (long)path, F_OK, 0, 0, 0) == 0;
}

/* readlinkat(2): the length, without a closing zero. */
static inline long kernel_read_link(const char *_Nonnull path, void *_Nonnull target, size_t size) {
    return kernel_call(SYS_readlinkat, -100, (long)path, (long)target, (long)size, 0, 0);
}

/* Opens a file to be shared, or makes one that nobody else can open. No link is followed, nobody is waited for. */
static inline long kernel_open_shared(const char *_Nonnull path) {
    return kernel_call(SYS_openat, -100, (long)path,
                       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600, 0, 0);
}

/* Opens a file for lines to be added to, or makes one that nobody else can read. No link is followed, nobody is waited
 * for. */
static inline long kernel_open_to_append(const char *_Nonnull path) {
    return kernel_call(SYS_openat, -100, (long)path,
                       O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600, 0, 0);
}

static inline long kernel_open_folder(const char *_Nonnull path) {
    return kernel_call(SYS_openat, -100, (long)path, O_RDONLY | O_CLOEXEC | O_DIRECTORY, 0, 0, 0);
}

/* Opens a file of the folder to be looked at. */
static inline long kernel_open_in(int folder, const char *_Nonnull name) {
    return kernel_call(SYS_openat, folder, (long)name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0, 0,
                       0);
}

static inline long kernel_unlink_in(int folder, const char *_Nonnull name) {
    return kernel_call(SYS_unlinkat, folder, (long)name, 0, 0, 0, 0);
}

/* getdents64(2) */
static inline long kernel_list_folder(int folder, void *_Nonnull entries, size_t size) {
    return kernel_call(SYS_getdents64, folder, (long)entries, (long)size, 0, 0, 0);
}

/* Whether the user that the process acts for may make files there. */
static inline int kernel_can_write_to_folder(const char *_Nonnull path) {
    return kernel_call(SYS_faccessat2, -100, (long)path, W_OK | X_OK, AT_EACCESS, 0, 0) == 0;
}

/* A folder for this user alone; who makes it first does not matter. */
static inline void kernel_make_folder(const char *_Nonnull path) {
    kernel_call(SYS_mkdirat, -100, (long)path, 0700, 0, 0, 0);
}

/* Removes a folder that is empty. */
static inline void kernel_remove_folder(const char *_Nonnull path) {
    kernel_call(SYS_unlinkat, -100, (long)path, AT_REMOVEDIR, 0, 0, 0);
}

/* Whether the folder belongs to the user that the process acts for, and nobody else may use it; whether there is
 * nothing by this name, or it is so. */
enum kernel_folder { KERNEL_FOLDER_IS_MISSING, KERNEL_FOLDER_IS_OWN, KERNEL_FOLDER_IS_ANOTHERS };
static inline enum kernel_folder kernel_look_at_folder(const char *_Nonnull path) {
    struct stat status;
    long result = kernel_call(SYS_newfstatat, -100, (long)path, (long)&status, AT_SYMLINK_NOFOLLOW, 0, 0);
    if (result == -ENOENT) return KERNEL_FOLDER_IS_MISSING;
    int is_own = result == 0 && S_ISDIR(status.st_mode) && !(status.st_mode & 077) &&
                 status.st_uid == kernel_effective_user();
    return is_own ? KERNEL_FOLDER_IS_OWN : KERNEL_FOLDER_IS_ANOTHERS;
}

static inline int kernel_exists(const char *_Nonnull path) {
    return kernel_call(SYS_faccessat, -100, (long)path, F_OK, 0, 0, 0) == 0;
}

/* What fstat(2) says of a file. */
struct kernel_file {
    /* A regular file that belongs to the user whom the process acts for, and that nobody else may use. */
    int is_own;
    int is_regular;
    /* A regular file that its group or others may read. */
    int is_readable_by_others;
    /* Names that it has; 0 when it was unlinked. */
    uint64_t links;
    int64_t size;
    /* Seconds since 1970. */
    int64_t modified;
};
static inline long kernel_look_at(int fd, struct kernel_file *_Nonnull file) {
    struct stat status;
    long result = kernel_call(SYS_fstat, fd, (long)&status, 0, 0, 0, 0);
    if (result < 0) return result;
    *file = (struct kernel_file){
        .is_own = S_ISREG(status.st_mode) && !(status.st_mode & 077) &&
                  status.st_uid == kernel_effective_user(),
        .is_regular = S_ISREG(status.st_mode),
        .is_readable_by_others = S_ISREG(status.st_mode) && (status.st_mode & 044),
        .links = status.st_nlink, .size = status.st_size, .modified = status.st_mtim.tv_sec};
    return 0;
}

/* Makes the file longer. -EFBIG where the process may not, for which the kernel would end it (SIGXFSZ). */
static inline long kernel_set_size(int fd, int64_t size) {
    struct {
        uint64_t current, largest;
    } limit;
    long result = kernel_call(SYS_prlimit64, 0, 1 /* RLIMIT_FSIZE */, 0, (long)&limit, 0, 0);
    if (result < 0) return result;
    return limit.current < (uint64_t)size ? -EFBIG : kernel_call(SYS_ftruncate, fd, size, 0, 0, 0, 0);
}

/* Gives the file now as the time of its last change. */
static inline long kernel_touch(int fd) {
    return kernel_call(SYS_utimensat, fd, 0, 0, 0, 0, 0);
}

/* flock(2), without waiting. The lock lasts as long as the open file: until it is closed, and every mapping of it is
 * gone, in every process that it was forked to. */
static inline long kernel_lock_file(int fd, int is_exclusive) {
    return kernel_call(SYS_flock, fd, (is_exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB, 0, 0, 0, 0);
}

static inline long kernel_read(int fd, void *_Nonnull bytes, size_t count) {
    return kernel_call(SYS_read, fd, (long)bytes, (long)count, 0, 0, 0);
}

static inline long kernel_write_at(int fd, const void *_Nonnull bytes, size_t count, size_t offset) {
    return kernel_call(SYS_pwrite64, fd, (long)bytes, (long)count, (long)offset, 0, 0);
}

static inline long kernel_write(int fd, const void *_Nonnull bytes, size_t count) {
    return kernel_call(SYS_write, fd, (long)bytes, (long)count, 0, 0, 0);
}

/* The same, without SIGPIPE and SIGXFSZ, which would end a program that has not written anything itself. */
static inline long kernel_write_unasked(int fd, const void *_Nonnull bytes, size_t count) {
    const uint64_t deadly = (uint64_t)1 << (SIGPIPE - 1) | (uint64_t)1 << (SIGXFSZ - 1);
    uint64_t blocked, pending;
    kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, (long)&deadly, (long)&blocked, 8, 0, 0);
    kernel_call(SYS_rt_sigpending, (long)&pending, 8, 0, 0, 0, 0);
    long result = kernel_write(fd, bytes, count);
    if (result == -EPIPE || result == -EFBIG) {
        const uint64_t raised = deadly & ~pending;
        const struct timespec now = {0, 0};
        kernel_call(SYS_rt_sigtimedwait, (long)&raised, 0, (long)&now, 8, 0, 0);
    }
    kernel_call(SYS_rt_sigprocmask, SIG_SETMASK, (long)&blocked, 0, 8, 0, 0);
    return result;
}

/* Seconds since 1970. */
static inline int64_t kernel_time(void) {
    struct timespec time = {0, 0};
    kernel_call(SYS_clock_gettime, CLOCK_REALTIME, (long)&time, 0, 0, 0, 0);
    return time.tv_sec;
}

static inline long kernel_close(int fd) {
    return kernel_call(SYS_close, fd, 0, 0, 0, 0, 0);
}

/* Private, zero-filled memory, of which only what is touched is taken. */
static inline long kernel_map(size_t size) {
    return kernel_call(SYS_mmap, 0, (long)size, 3, 0x4022, -1, 0);
}

/* The same, common to this process and those that fork from it. */
static inline long kernel_map_shared(size_t size) {
    return kernel_call(SYS_mmap, 0, (long)size, 3, 0x4021, -1, 0);
}

/* The file's bytes from `start` on, common to all that map it. */
static inline long kernel_map_file(int fd, size_t start, size_t size) {
    return kernel_call(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (long)start);
}

/* Maps what is mapped at `start`, shared memory, once more, and what follows it in its file (mremap(2)). */
static inline long kernel_map_again(void *_Nonnull start, size_t size) {
    return kernel_call(SYS_mremap, (long)start, 0, (long)size, 1 /* MREMAP_MAYMOVE */, 0, 0);
}

/* A file without a name, whose memory is taken as it is touched (memfd_create(2)). */
static inline long kernel_open_memory(void) {
    const char *name = "socksify";
    enum { CLOSED_ON_EXEC = 1, NEVER_EXECUTED = 8 };
    long fd = kernel_call(SYS_memfd_create, (long)name, CLOSED_ON_EXEC | NEVER_EXECUTED, 0, 0, 0, 0);
    /* Linux before 6.3 does not know the other flag. */
    return fd == -EINVAL ? kernel_call(SYS_memfd_create, (long)name, CLOSED_ON_EXEC, 0, 0, 0, 0) : fd;
}

/* Maps the file's bytes from `start` on in place of whatever is mapped from `place` on. */
static inline long kernel_map_file_over(void *_Nonnull place, int fd, size_t start, size_t size) {
    return kernel_call(SYS_mmap, (long)place, (long)size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                       (long)start);
}

/* Says of each page, by the lowest bit of a byte, whether it is in memory (mincore(2)). */
static inline long kernel_ask_pages(void *_Nonnull start, size_t size, uint8_t *_Nonnull pages) {
    return kernel_call(SYS_mincore, (long)start, (long)size, (long)pages, 0, 0, 0);
}

static inline void kernel_unmap(void *_Nonnull start, size_t size) {
    kernel_call(SYS_munmap, (long)start, (long)size, 0, 0, 0, 0);
}

static inline size_t kernel_page_size(void) {
#if defined(__x86_64__)
    return 4096;
#else
    return getauxval(AT_PAGESZ);
#endif
}

/* Makes the memory of whole pages, where touching them might end in SIGBUS for lack of it. Linux 5.14; -EINVAL before.
 */
static inline long kernel_populate(void *_Nonnull start, size_t size) {
    return kernel_call(SYS_madvise, (long)start, (long)size, 23 /* MADV_POPULATE_WRITE */, 0, 0, 0);
}

/* The soft limit of descriptors (RLIMIT_NOFILE). */
static inline long kernel_descriptor_limit(void) {
    uint64_t limits[2] = {0, 0};
    long result = kernel_call(SYS_prlimit64, 0, 7, 0, (long)limits, 0, 0);
    return result < 0 || limits[0] > 1 << 30 ? 1 << 30 : (long)limits[0];
}

/* Random bytes, as far as the kernel has any to give without waiting. */
static inline long kernel_random(void *_Nonnull bytes, size_t count) {
    return kernel_call(SYS_getrandom, (long)bytes, (long)count, 1 /* GRND_NONBLOCK */, 0, 0, 0);
}

static inline int kernel_process_exists(int process) {
    return kernel_call(SYS_kill, process, 0, 0, 0, 0, 0) != -3 /* ESRCH */;
}

static inline long kernel_thread_id(void) {
    return kernel_call(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* Whether there is a thread of this number, in whatever process. */
static inline int kernel_thread_exists(int thread) {
    return kernel_call(SYS_tkill, thread, 0, 0, 0, 0, 0) != -3 /* ESRCH */;
}

/* The same of a process' own. */
static inline int kernel_thread_exists_in(int process, int thread) {
    return kernel_call(SYS_tgkill, process, thread, 0, 0, 0, 0) != -3 /* ESRCH */;
}

static inline void kernel_yield(void) {
    kernel_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
}

/* False where the kernel refuses to wait. */
static inline bool kernel_sleep(long nanoseconds) {
    struct timespec duration = {nanoseconds / 1000000000, nanoseconds % 1000000000};
    long result = kernel_call(SYS_nanosleep, (long)&duration, 0, 0, 0, 0, 0);
    return result == 0 || result == -EINTR;
}

/* The number that the kernel knows a socket by, from a descriptor in whatever process (proc(5), /proc/PID/fd);
 * negative when it is none, or is not to be seen. */
static inline long kernel_socket_number(int process, int fd) {
    char path[48] = "/proc/", target[48], digits[12];
    size_t end = 6;
    const unsigned parts[2] = {(unsigned)process, (unsigned)fd};
    for (int part = 0; part < 2; part++) {
        int count = 0;
        for (unsigned rest = parts[part]; count == 0 || rest; rest /= 10) digits[count++] = (char)('0' + rest % 10);
        while (count) path[end++] = digits[--count];
        for (const char *name = part ? "" : "/fd/"; *name; name++) path[end++] = *name;
    }
    path[end] = 0;
    long length = kernel_call(SYS_readlinkat, -100, (long)path, (long)target, sizeof target, 0, 0);
    if (length < 9 || target[0] != 's' || target[7] != '[') return -1;
    long number = 0;
    for (long at = 8; at < length && target[at] != ']'; at++) number = number * 10 + target[at] - '0';
    return number;
}

/* The machine's own name (uname(2)): up to 64 characters and a zero. */
static inline int kernel_host_name(char name[_Nonnull 65]) {
    struct {
        char system[65], node[65], release[65], version[65], machine[65], domain[65];
    } names;
    if (kernel_call(SYS_uname, (long)&names, 0, 0, 0, 0, 0) != 0) return 0;
    for (int index = 0; index < 65; index++) name[index] = names.node[index];
    return 1;
}

/* Blocks every signal of the thread; the mask that was in force goes to `previous`. */
static inline void kernel_block_signals(uint64_t *_Nonnull previous) {
    uint64_t all = ~(uint64_t)0;
    kernel_call(SYS_rt_sigprocmask, 2, (long)&all, (long)previous, 8, 0, 0);
}

static inline void kernel_restore_signals(const uint64_t *_Nonnull previous) {
    kernel_call(SYS_rt_sigprocmask, 2, (long)previous, 0, 8, 0, 0);
}
