#include "NameSearch.h"

#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <string.h>

#include "LibraryStack.h"
#include "RealLibC.h"

/* Has libc read resolv.conf(5), again if it has changed. A numeric name asks no server. */
static void read_configuration(void) {
    struct hostent entry, *result;
    char buffer[64];
    int host_error;
    ON_PROGRAM_STACK(REAL(gethostbyname_r), "0.0.0.0", &entry, buffer, sizeof buffer, &result, &host_error);
}

_Static_assert(MAXDNSRCH == sizeof ((struct name_search *)0)->domains, "the number of domains");

void name_search_begin(struct name_search *search, const char *name, size_t length) {
    memset(search, 0, sizeof *search);
    if (length == 0 || length >= NAME_SEARCH_SIZE) return;
    memcpy(search->name, name, length);
    read_configuration();
    unsigned dots = 0;
    for (size_t index = 0; index < length; index++) dots += name[index] == '.';
    int is_complete = name[length - 1] == '.';
    search->comes_first = is_complete || dots >= _res.ndots;
    if (!is_complete && _res.options & (dots ? RES_DNSRCH : RES_DEFNAMES)) {
        size_t size = 0;
        for (char **domain = _res.dnsrch; domain < _res.dnsrch + MAXDNSRCH && *domain; domain++) {
            size_t length = strlen(*domain) + 1;
            if (size + length > sizeof search->text) break;
            search->domains[search->count++] = (unsigned char)size;
            memcpy(search->text + size, *domain, length);
            size += length;
        }
    }
    search->comes_last =
        !search->comes_first && (dots || !search->count || !(_res.options & RES_NOTLDQUERY));
}

/* Whether name and domain together make a valid name. */
static int join(const char *name, const char *domain, char *candidate) {
    size_t length = strlen(name), rest = strlen(domain);
    if (length + 1 + rest >= NAME_SEARCH_SIZE || rest == 0) return 0;
    memcpy(candidate, name, length);
    candidate[length] = '.';
    memcpy(candidate + length + 1, domain, rest + 1);
    return 1;
}

int name_search_next(struct name_search *search, char candidate[NAME_SEARCH_SIZE]) {
    if (search->comes_first) {
        search->comes_first = 0;
        memcpy(candidate, search->name, NAME_SEARCH_SIZE);
        return 1;
    }
    while (search->next < search->count)
        if (join(search->name, search->text + search->domains[search->next++], candidate)) return 1;
    if (!search->comes_last) return 0;
    search->comes_last = 0;
    memcpy(candidate, search->name, NAME_SEARCH_SIZE);
    return 1;
}
