/* Probes of name resolution. Addresses that stand for names are printed as FAKE4 and FAKE6, since which of them a
 * name gets is nobody's business. */
#include "probe.h"

static const char *failure_name(int code) {
    switch (code) {
    case 0: return "ok";
    case EAI_NONAME: return "EAI_NONAME";
    case EAI_SERVICE: return "EAI_SERVICE";
    case EAI_FAMILY: return "EAI_FAMILY";
    case EAI_SOCKTYPE: return "EAI_SOCKTYPE";
    case EAI_BADFLAGS: return "EAI_BADFLAGS";
    case EAI_AGAIN: return "EAI_AGAIN";
    case EAI_FAIL: return "EAI_FAIL";
    case EAI_MEMORY: return "EAI_MEMORY";
    case EAI_OVERFLOW: return "EAI_OVERFLOW";
    case EAI_SYSTEM: return "EAI_SYSTEM";
    case EAI_NODATA: return "EAI_NODATA";
    case EAI_ADDRFAMILY: return "EAI_ADDRFAMILY";
    case EAI_INPROGRESS: return "EAI_INPROGRESS";
    default: return "EAI_?";
    }
}

static const char *address_text(int family, const void *address) {
    static char text[2][INET6_ADDRSTRLEN + 8];
    static int turn;
    char *out = text[turn ^= 1];
    const unsigned char *bytes = address;
    if (family == AF_INET && bytes[0] == 198 && (bytes[1] & 0xfe) == 18) return "FAKE4";
    if (family == AF_INET6 && !memcmp(bytes, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) && bytes[12] == 198 &&
        (bytes[13] & 0xfe) == 18)
        return "::ffff:FAKE4";
    if (family == AF_INET6 && bytes[0] == 0xfd) return "FAKE6";
    return inet_ntop(family, address, out, INET6_ADDRSTRLEN);
}

static const char *socket_address_text(const struct sockaddr *address) {
    return address->sa_family == AF_INET
               ? address_text(AF_INET, &((const struct sockaddr_in *)address)->sin_addr)
               : address_text(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* NAME|- SERVICE|- [inet|inet6] [stream|dgram|raw] [canon] [numeric] [numericserv] [passive] [mapped] [all] [config] */
static int lookup(int count, char **arguments) {
    struct addrinfo hints = {0}, *list = NULL;
    for (int index = 2; index < count; index++) {
        const char *hint = arguments[index];
        if (!strcmp(hint, "inet")) hints.ai_family = AF_INET;
        else if (!strcmp(hint, "inet6")) hints.ai_family = AF_INET6;
        else if (!strcmp(hint, "unix")) hints.ai_family = AF_UNIX;
        else if (!strcmp(hint, "stream")) hints.ai_socktype = SOCK_STREAM;
        else if (!strcmp(hint, "dgram")) hints.ai_socktype = SOCK_DGRAM;
        else if (!strcmp(hint, "raw")) hints.ai_socktype = SOCK_RAW;
        else if (!strcmp(hint, "badtype")) hints.ai_socktype = 4711;
        else if (!strcmp(hint, "canon")) hints.ai_flags |= AI_CANONNAME;
        else if (!strcmp(hint, "numeric")) hints.ai_flags |= AI_NUMERICHOST;
        else if (!strcmp(hint, "numericserv")) hints.ai_flags |= AI_NUMERICSERV;
        else if (!strcmp(hint, "passive")) hints.ai_flags |= AI_PASSIVE;
        else if (!strcmp(hint, "mapped")) hints.ai_flags |= AI_V4MAPPED;
        else if (!strcmp(hint, "all")) hints.ai_flags |= AI_ALL;
        else if (!strcmp(hint, "config")) hints.ai_flags |= AI_ADDRCONFIG;
        else if (!strcmp(hint, "badflags")) hints.ai_flags |= 0x100000;
        else return 64;
    }
    const char *name = strcmp(arguments[0], "-") ? arguments[0] : NULL;
    const char *service = strcmp(arguments[1], "-") ? arguments[1] : NULL;
    int code = getaddrinfo(name, service, count > 2 ? &hints : NULL, &list);
    printf("%s\n", failure_name(code));
    if (code) return 0;
    for (struct addrinfo *entry = list; entry; entry = entry->ai_next)
        printf("%s port %d type %d protocol %d%s%s%s\n", socket_address_text(entry->ai_addr),
               ntohs(((struct sockaddr_in *)entry->ai_addr)->sin_port), entry->ai_socktype, entry->ai_protocol,
               entry->ai_canonname ? " canonical " : "", entry->ai_canonname ? entry->ai_canonname : "",
               entry->ai_family == entry->ai_addr->sa_family ? "" : " FAMILIES DIFFER");
    freeaddrinfo(list);
    return 0;
}

static void print_host(const struct hostent *host) {
    if (!host) {
        static const char *const failures[] = {"ok", "HOST_NOT_FOUND", "TRY_AGAIN", "NO_RECOVERY", "NO_DATA"};
        printf("%s\n", h_errno >= 0 && h_errno <= 4 ? failures[h_errno] : "NETDB_INTERNAL");
        return;
    }
    printf("%s aliases %s type %d length %d", host->h_name, *host->h_aliases ? *host->h_aliases : "none",
           host->h_addrtype, host->h_length);
    for (char **address = host->h_addr_list; *address; address++)
        printf(" %s", address_text(host->h_addrtype, *address));
    printf("\n");
}

/* NAME [inet|inet6] */
static int host_by_name(int count, char **arguments) {
    print_host(count < 2 ? gethostbyname(arguments[0])
                         : gethostbyname2(arguments[0], !strcmp(arguments[1], "inet6") ? AF_INET6 : AF_INET));
    return 0;
}

/* NAME: buffers from too small to large enough; the results in the order met. */
static int host_by_name_reentrant(int count, char **arguments) {
    const char *last = "";
    for (size_t size = 0; size <= 1024; size += 8) {
        char *buffer = malloc(size + 16);
        memset(buffer, 0x5a, size + 16);
        struct hostent host, *found = NULL;
        int error = 0;
        int code = gethostbyname_r(arguments[0], &host, buffer, size, &found, &error);
        for (int index = 0; index < 16; index++)
            if (buffer[size + index] != 0x5a) printf("written beyond a buffer of %zu\n", size);
        const char *text = code ? strerrorname_np(code) : found ? "found" : "not found";
        if (strcmp(text, last)) printf("%s\n", text);
        last = text;
        if (found) {
            print_host(found);
            free(buffer);
            break;
        }
        free(buffer);
    }
    return 0;
}

/* NAME inet|inet6: from a name to its address and back, by every call. */
static int reverse(int count, char **arguments) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    hints.ai_family = !strcmp(arguments[1], "inet6") ? AF_INET6 : AF_INET;
    int code = getaddrinfo(arguments[0], "80", &hints, &list);
    if (code) return printf("%s\n", failure_name(code)), 0;
    char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";
    code = getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, service, sizeof service,
                       NI_NAMEREQD | NI_NUMERICSERV);
    printf("required: %s %s %s\n", failure_name(code), host, service);
    code = getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, service, sizeof service, 0);
    printf("plain: %s %s %s\n", failure_name(code), host, service);
    code = getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, NULL, 0, NI_NUMERICHOST);
    unsigned char bytes[16];
    printf("numeric: %s %s\n", failure_name(code),
           inet_pton(hints.ai_family, host, bytes) == 1 ? address_text(hints.ai_family, bytes) : host);
    code = getnameinfo(list->ai_addr, list->ai_addrlen, host, 3, NULL, 0, NI_NAMEREQD);
    printf("short: %s\n", failure_name(code));
    const void *address = hints.ai_family == AF_INET ? (void *)&((struct sockaddr_in *)list->ai_addr)->sin_addr
                                                     : (void *)&((struct sockaddr_in6 *)list->ai_addr)->sin6_addr;
    socklen_t length = hints.ai_family == AF_INET ? 4 : 16;
    print_host(gethostbyaddr(address, length, hints.ai_family));
    struct hostent entry, *found = NULL;
    char buffer[1024], tiny[8];
    int error = 0;
    code = gethostbyaddr_r(address, length, hints.ai_family, &entry, tiny, sizeof tiny, &found, &error);
    printf("tiny: %s\n", code ? strerrorname_np(code) : "ok");
    code = gethostbyaddr_r(address, length, hints.ai_family, &entry, buffer, sizeof buffer, &found, &error);
    printf("reentrant: %s\n", code ? strerrorname_np(code) : found ? found->h_name : "not found");
    return 0;
}

/* NAME wait|nowait|signal|thread */
static volatile sig_atomic_t notified;
static void notice(int number) { notified = 1; }

static int asynchronous(int count, char **arguments) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
    struct gaicb first = {.ar_name = arguments[0], .ar_service = "80", .ar_request = &hints};
    struct gaicb second = {.ar_name = "0.1.1.~1", .ar_service = "80", .ar_request = &hints};
    struct gaicb *list[] = {&first, NULL, &second};
    bool waits = !strcmp(arguments[1], "wait");
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    bool signalled = !strcmp(arguments[1], "signal");
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    if (signalled) {
        signal(SIGUSR1, notice);
        sigprocmask(SIG_BLOCK, &block, &before);
    }
    int code = getaddrinfo_a(waits ? GAI_WAIT : GAI_NOWAIT, list, 3, signalled ? &event : NULL);
    printf("started: %s\n", failure_name(code));
    if (signalled) {
        while (!notified) sigsuspend(&before);
        printf("signalled\n");
    }
    while (gai_error(&first) == EAI_INPROGRESS || gai_error(&second) == EAI_INPROGRESS)
        gai_suspend((const struct gaicb *const *)list, 3, NULL);
    printf("first: %s", failure_name(gai_error(&first)));
    if (!gai_error(&first)) printf(" %s", socket_address_text(first.ar_result->ai_addr));
    printf("\nsecond: %s\n", failure_name(gai_error(&second)));
    printf("cancel: %s\n", gai_cancel(&first) == EAI_ALLDONE ? "done already" : "other");
    return 0;
}

static struct in_addr address_of(const char *name) {
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
    struct in_addr address = {0};
    if (!getaddrinfo(name, NULL, &hints, &list)) {
        address = ((struct sockaddr_in *)list->ai_addr)->sin_addr;
        freeaddrinfo(list);
    }
    return address;
}

/* ONE ANOTHER: whether a name has one address, whatever its case, and another name another. */
static int identity(int count, char **arguments) {
    struct in_addr first = address_of(arguments[0]), again = address_of(arguments[0]);
    struct in_addr another = address_of(arguments[1]);
    char upper[256] = "";
    for (size_t index = 0; arguments[0][index]; index++)
        upper[index] = arguments[0][index] >= 'a' ? arguments[0][index] - 32 : arguments[0][index];
    printf("again: %s\n", first.s_addr && first.s_addr == again.s_addr ? "the same" : "another");
    printf("other: %s\n", another.s_addr && first.s_addr != another.s_addr ? "another" : "the same");
    printf("upper case: %s\n", first.s_addr == address_of(upper).s_addr ? "the same" : "another");
    return 0;
}

static void *look_up_often(void *argument) {
    intptr_t bad = 0;
    for (int index = 0; index < 50; index++) {
        char name[64], found[NI_MAXHOST] = "";
        snprintf(name, sizeof name, "t%ld-%d.threads.test", (long)(intptr_t)argument, index % 25);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = address_of(name)};
        if (getnameinfo((struct sockaddr *)&address, sizeof address, found, sizeof found, NULL, 0, NI_NAMEREQD) ||
            strcmp(found, name))
            bad++;
    }
    return (void *)bad;
}

/* THREADS: names looked up at once, and back; how many were wrong. */
static int threads(int count, char **arguments) {
    pthread_t started[64];
    long bad = 0;
    for (int index = 0; index < atoi(arguments[0]); index++)
        pthread_create(&started[index], NULL, look_up_often, (void *)(intptr_t)index);
    for (int index = 0; index < atoi(arguments[0]); index++) {
        void *returned;
        pthread_join(started[index], &returned);
        bad += (intptr_t)returned;
    }
    printf("%ld\n", bad);
    return 0;
}

const struct probe name_probes[] = {
    {"lookup", lookup},   {"host-by-name", host_by_name}, {"host-by-name-r", host_by_name_reentrant},
    {"reverse", reverse}, {"asynchronous", asynchronous}, {"identity", identity},
    {"name-threads", threads}, {NULL},
};
