/* hosts NAME...: the gethostbyname(3) family, with every size of buffer. */
#include "names.h"

enum { LARGEST = 8192, GUARD = 64 };

/* The value of `errno` before a call. */
enum { NO_ERROR = 7777 };

/* The end of a line: `errno`, if it is not 0 and has changed. */
static void say_errno(int error) {
    if (error == 0 || error == NO_ERROR) say("\n");
    else say(", errno %s\n", strerrorname_np(error));
}

static void say_entry(const char *what, const struct hostent *entry, int error) {
    if (!entry) {
        say("%s: %s", what, host_error_name(h_errno));
        say_errno(error);
        return;
    }
    int aliases = 0;
    while (entry->h_aliases[aliases]) aliases++;
    say("%s: %s, family %d, %d aliases", what, entry->h_name, entry->h_addrtype == AF_INET ? 4 : 6, aliases);
    for (char **alias = entry->h_aliases; *alias; alias++) say(" %s", *alias);
    for (char **at = entry->h_addr_list; *at; at++) {
        address one = {0};
        one.any.sa_family = (sa_family_t)entry->h_addrtype;
        if (entry->h_addrtype == AF_INET) memcpy(&one.v4.sin_addr, *at, 4);
        else memcpy(&one.v6.sin6_addr, *at, 16);
        say(", %s", known(&one.any));
    }
    say_errno(error);
}

typedef int lookup(const void *, struct hostent *, char *, size_t, struct hostent **, int *);

static int by_name(const void *name, struct hostent *entry, char *buffer, size_t size, struct hostent **result,
                   int *error) {
    return gethostbyname_r(name, entry, buffer, size, result, error);
}

static int by_name6(const void *name, struct hostent *entry, char *buffer, size_t size, struct hostent **result,
                    int *error) {
    return gethostbyname2_r(name, AF_INET6, entry, buffer, size, result, error);
}

static int by_address(const void *octets, struct hostent *entry, char *buffer, size_t size, struct hostent **result,
                      int *error) {
    return gethostbyaddr_r(octets, 4, AF_INET, entry, buffer, size, result, error);
}

static int within(const void *pointer, const char *buffer, size_t size) {
    return (const char *)pointer >= buffer && (const char *)pointer < buffer + size;
}

/* Every size up to the first that is enough: the call writes nothing outside the buffer, and no pointer leads
 * outside. */
static void every_size(const char *what, lookup *look_up, const void *key) {
    static char memory[GUARD + LARGEST + GUARD];
    for (size_t shift = 0; shift < 2; shift++) {
        for (size_t size = 0; size <= LARGEST; size++) {
            struct hostent entry, *result = &entry;
            int error = 77;
            char *buffer = memory + GUARD + shift;
            memset(memory, 0x5a, sizeof memory);
            errno = NO_ERROR;
            int code = look_up(key, &entry, buffer, size, &result, &error), own_error = errno;
            for (size_t index = 0; index < sizeof memory; index++) {
                int outside = memory + index < buffer || memory + index >= buffer + size;
                if (outside && memory[index] != 0x5a) {
                    say("%s: size %zu, byte %zd is written\n", what, size, memory + index - buffer);
                    return;
                }
            }
            if (code == ERANGE) {
                int is_told = error == NETDB_INTERNAL && own_error == ERANGE && !result;
                if (!is_told) say("%s: size %zu, odd ERANGE\n", what, size);
                continue;
            }
            if (code != 0 || !result) {
                if (shift == 0) {
                    say("%s: %s %s %s", what, strerrorname_np(code), result ? "result" : "no result",
                        host_error_name(error));
                    say_errno(own_error);
                }
                break;
            }
            int sound = within(result->h_name, buffer, size) && within(result->h_aliases, buffer, size) &&
                        within(result->h_addr_list, buffer, size) && within(result->h_addr_list[0], buffer, size) &&
                        (unsigned long)result->h_addr_list % sizeof(char *) == 0;
            if (shift == 0) say_entry(what, result, own_error);
            if (!sound) say("%s: points elsewhere\n", what);
            if (size == 0) say("%s: nothing is enough\n", what);
            break;
        }
    }
}

int main(int count, char **arguments) {
    char what[300];
    for (int index = 1; index < count; index++) {
        const char *name = arguments[index];
        snprintf(what, sizeof what, "%s", name);
        errno = NO_ERROR;
        struct hostent *entry = gethostbyname(name);
        say_entry(what, entry, errno);
        unsigned char octets[4] = {0};
        int is_found = entry != NULL;
        if (entry) memcpy(octets, entry->h_addr_list[0], 4);
        snprintf(what, sizeof what, "%s 6", name);
        errno = NO_ERROR;
        entry = gethostbyname2(name, AF_INET6);
        say_entry(what, entry, errno);
        snprintf(what, sizeof what, "%s by size", name);
        every_size(what, by_name, name);
        snprintf(what, sizeof what, "%s 6 by size", name);
        every_size(what, by_name6, name);
        if (!is_found) continue;
        snprintf(what, sizeof what, "%s back", name);
        errno = NO_ERROR;
        entry = gethostbyaddr(octets, 4, AF_INET);
        say_entry(what, entry, errno);
        snprintf(what, sizeof what, "%s back by size", name);
        every_size(what, by_address, octets);
    }
}
