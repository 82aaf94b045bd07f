/* reverse: getnameinfo(3) of reserved addresses and of others. */
#include "names.h"

static void look(const char *what, const address *of, int flags) {
    char host[NI_MAXHOST] = "-", service[NI_MAXSERV] = "-";
    int code = getnameinfo(&of->any, of->length, host, sizeof host, service, sizeof service, flags);
    const char *shown = host;
    if (strncmp(host, "198.18.", 7) == 0 || strncmp(host, "198.19.", 7) == 0) shown = "FAKE4";
    if (strncmp(host, "fd73:6f63:6b73:6661:6b65:", 25) == 0) shown = "FAKE6";
    say("%s: %s %s %s\n", what, code_name(code), code == 0 ? shown : "", code == 0 ? service : "");
}

int main(void) {
    for (int round = 0; round < 2; round++) {
        struct addrinfo hints = {.ai_family = round ? AF_INET6 : AF_INET, .ai_socktype = SOCK_STREAM}, *list;
        require(getaddrinfo("Web.test", "80", &hints, &list) == 0);
        address fake = {.length = list->ai_addrlen};
        memcpy(&fake.storage, list->ai_addr, list->ai_addrlen);
        freeaddrinfo(list);
        const char *family = round ? "6" : "4";
        say("family %s\n", family);
        look("plain", &fake, 0);
        look("NI_NAMEREQD", &fake, NI_NAMEREQD);
        look("NI_NUMERICHOST", &fake, NI_NUMERICHOST);
        look("NI_NUMERICSERV", &fake, NI_NUMERICSERV);
        look("NI_DGRAM", &fake, NI_DGRAM);
        /* Every size of the host's buffer; the memory after it stays unchanged. */
        for (socklen_t size = 1; size <= sizeof "Web.test"; size++) {
            char host[32];
            memset(host, 0x5a, sizeof host);
            int code = getnameinfo(&fake.any, fake.length, host, size, NULL, 0, 0);
            int spoilt = 0;
            for (size_t index = size; index < sizeof host; index++) spoilt |= host[index] != 0x5a;
            if (code != EAI_OVERFLOW || spoilt) say("size %u: %s%s\n", size, code_name(code), spoilt ? " spoilt" : "");
        }
        char service[3];
        say("small service: %s\n", code_name(getnameinfo(&fake.any, fake.length, NULL, 0, service, sizeof service, 0)));
        char host[32];
        say("both, small service: %s\n",
            code_name(getnameinfo(&fake.any, fake.length, host, sizeof host, service, sizeof service, 0)));
        say("nothing: %s\n", code_name(getnameinfo(&fake.any, fake.length, NULL, 0, NULL, 0, 0)));
        say("short: %s\n", code_name(getnameinfo(&fake.any, 4, host, sizeof host, NULL, 0, 0)));
        say("bad flags: %s\n", code_name(getnameinfo(&fake.any, fake.length, host, sizeof host, NULL, 0, 1 << 20)));
    }
    address never = numeric("198.18.99.99", "80"), real = numeric("203.0.113.10", "80"),
            listed = numeric("203.0.113.10", "443"), near = numeric("127.0.0.1", "80");
    look("never given out", &never, 0);
    look("never given out, NI_NAMEREQD", &never, NI_NAMEREQD);
    look("listed", &listed, 0);
    look("near", &near, NI_NAMEREQD);
    real = numeric("203.0.113.11", "80");
    look("real", &real, 0);
    look("real, NI_NAMEREQD", &real, NI_NAMEREQD);
    int fd = stream(&never);
    say("connect to never given out: %s\n", outcome(connect(fd, &never.any, never.length)));
    never = numeric("fd73:6f63:6b73:6661:6b65:0:0:9999", "80");
    fd = stream(&never);
    say("connect to never given out: %s\n", outcome(connect(fd, &never.any, never.length)));
}
