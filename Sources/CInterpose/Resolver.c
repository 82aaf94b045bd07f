/* The resolver's own calls (resolver(3)), which put questions to the DNS themselves. Where names belong to the proxy,
 * no question may leave: these fail as they do when no server answers, and programs turn to getaddrinfo() or give up.
 *
 * Each has a second name, which programs that were linked with an older libc use. */
#include "Interpose.h"

#include <resolv.h>

/* What a question ends with: TRY_AGAIN, as when no server answered. */
static int unanswered(void) {
    h_errno = TRY_AGAIN;
    errno = ECONNREFUSED;
    return -1;
}

int res_query(const char *name, int class, int type, unsigned char *answer, int length) {
    if (socksify_names_belong_to_proxy()) return unanswered();
    return REAL(res_query)(name, class, type, answer, length);
}

int res_search(const char *name, int class, int type, unsigned char *answer, int length) {
    if (socksify_names_belong_to_proxy()) return unanswered();
    return REAL(res_search)(name, class, type, answer, length);
}

int res_querydomain(const char *name, const char *domain, int class, int type, unsigned char *answer, int length) {
    if (socksify_names_belong_to_proxy()) return unanswered();
    return REAL(res_querydomain)(name, domain, class, type, answer, length);
}

int res_send(const unsigned char *query, int query_length, unsigned char *answer, int length) {
    if (socksify_names_belong_to_proxy()) return unanswered();
    return REAL(res_send)(query, query_length, answer, length);
}

int res_nquery(res_state state, const char *name, int class, int type, unsigned char *answer, int length) {
    if (socksify_names_belong_to_proxy()) return unanswered();
    return REAL(res_nquery)(state, name, class, type, answer, length);
}

int res_nsearch(res_state state, const char *name, int class, int type, unsigned char *answer, int length) {
    if (socksify_names_belong_to_proxy()) return unanswered();
    return REAL(res_nsearch)(state, name, class, type, answer, length);
}

int res_nquerydomain(res_state state, const char *name, const char *domain, int class, int type,
                     unsigned char *answer, int length) {
    if (socksify_names_belong_to_proxy()) return unanswered();
    return REAL(res_nquerydomain)(state, name, domain, class, type, answer, length);
}

int res_nsend(res_state state, const unsigned char *query, int query_length, unsigned char *answer, int length) {
    if (socksify_names_belong_to_proxy()) return unanswered();
    return REAL(res_nsend)(state, query, query_length, answer, length);
}

int __res_query(const char *name, int class, int type, unsigned char *answer, int length)
    __attribute__((alias("res_query")));
int __res_search(const char *name, int class, int type, unsigned char *answer, int length)
    __attribute__((alias("res_search")));
int __res_querydomain(const char *name, const char *domain, int class, int type, unsigned char *answer, int length)
    __attribute__((alias("res_querydomain")));
int __res_send(const unsigned char *query, int query_length, unsigned char *answer, int length)
    __attribute__((alias("res_send")));
int __res_nquery(res_state state, const char *name, int class, int type, unsigned char *answer, int length)
    __attribute__((alias("res_nquery")));
int __res_nsearch(res_state state, const char *name, int class, int type, unsigned char *answer, int length)
    __attribute__((alias("res_nsearch")));
int __res_nquerydomain(res_state state, const char *name, const char *domain, int class, int type,
                       unsigned char *answer, int length) __attribute__((alias("res_nquerydomain")));
int __res_nsend(res_state state, const unsigned char *query, int query_length, unsigned char *answer, int length)
    __attribute__((alias("res_nsend")));
