/* The calls of resolver(3), which send DNS questions. If names belong to the proxy, the library answers them as it
 * answers datagrams to a name server, and no question leaves this machine.
 *
 * Each call has a second name for programs that were linked with an older libc. */
#include "Interpose.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <stdio.h>

static int failed(int host_error, int error) {
    h_errno = host_error;
    errno = error;
    return -1;
}

/* Whether libc is not to put the question to a name server. */
static int is_answered_here(void) {
    if (mechanism_calls()) return mechanism_calls() == MECHANISM_CALLS_REFUSED;
    return socksify_names_belong_to_proxy();
}

/* res_send: any answer. */
static int send_question(const unsigned char *question, int question_length, unsigned char *answer, int length) {
    if (question_length < 0 || length < NS_HFIXEDSZ) return failed(NO_RECOVERY, EINVAL);
    if (mechanism_calls()) {
        mechanism_calls_refuse();
        return failed(TRY_AGAIN, ECONNREFUSED);
    }
    int answered = socksify_answer_question(question, (size_t)question_length, answer, (size_t)length);
    /* The same as if no server answers. */
    if (answered < 0) return failed(TRY_AGAIN, ECONNREFUSED);
    if (answered <= length) return answered;
    ((HEADER *)answer)->tc = 1;
    return length;
}

/* res_query: an answer with records. */
static int query(const char *name, int class, int type, unsigned char *answer, int length) {
    unsigned char question[NS_PACKETSZ];
    int question_length = res_mkquery(QUERY, name, class, type, NULL, 0, NULL, question, sizeof question);
    if (question_length < 0) return failed(NO_RECOVERY, errno);
    int answered = send_question(question, question_length, answer, length);
    if (answered < 0) return answered;
    const HEADER *header = (const HEADER *)answer;
    switch (header->rcode) {
        case ns_r_noerror: return header->ancount ? answered : failed(NO_DATA, errno);
        case ns_r_nxdomain: return failed(HOST_NOT_FOUND, errno);
        case ns_r_servfail: return failed(TRY_AGAIN, errno);
        default: return failed(NO_RECOVERY, errno);
    }
}

/* res_querydomain: the same for a name in a domain. */
static int query_in(const char *name, const char *domain, int class, int type, unsigned char *answer, int length) {
    char joined[NS_MAXDNAME];
    if (!domain) return query(name, class, type, answer, length);
    int size = snprintf(joined, sizeof joined, "%s.%s", name, domain);
    if (size < 0 || (size_t)size >= sizeof joined) return failed(NO_RECOVERY, errno);
    return query(joined, class, type, answer, length);
}

/* res_search: the same for the names to try by resolv.conf(5), if the configuration allows that: it appends this
 * machine's domains to a name that the proxy resolves. */
static int search(const char *name, int class, int type, unsigned char *answer, int length) {
    struct name_search names;
    char candidate[NAME_SEARCH_SIZE];
    int host_error = HOST_NOT_FOUND;
    if (mechanism_calls() || !socksify_searches_domains()) return query(name, class, type, answer, length);
    name_search_begin(&names, name, strlen(name));
    while (name_search_next(&names, candidate)) {
        int answered = query(candidate, class, type, answer, length);
        if (answered >= 0 || h_errno == TRY_AGAIN || h_errno == NO_RECOVERY) return answered;
        if (h_errno == NO_DATA) host_error = NO_DATA;
    }
    return failed(host_error, errno);
}

/* A state has its own h_errno. */
static int noted(res_state state, int result) {
    if (result < 0) state->res_h_errno = h_errno;
    return result;
}

int res_query(const char *name, int class, int type, unsigned char *answer, int length) {
    if (is_answered_here()) return query(name, class, type, answer, length);
    return REAL(res_query)(name, class, type, answer, length);
}

int res_search(const char *name, int class, int type, unsigned char *answer, int length) {
    if (is_answered_here()) return search(name, class, type, answer, length);
    return REAL(res_search)(name, class, type, answer, length);
}

int res_querydomain(const char *name, const char *domain, int class, int type, unsigned char *answer, int length) {
    if (is_answered_here()) return query_in(name, domain, class, type, answer, length);
    return REAL(res_querydomain)(name, domain, class, type, answer, length);
}

int res_send(const unsigned char *question, int question_length, unsigned char *answer, int length) {
    if (is_answered_here()) return send_question(question, question_length, answer, length);
    return REAL(res_send)(question, question_length, answer, length);
}

int res_nquery(res_state state, const char *name, int class, int type, unsigned char *answer, int length) {
    if (is_answered_here()) return noted(state, query(name, class, type, answer, length));
    return REAL(res_nquery)(state, name, class, type, answer, length);
}

int res_nsearch(res_state state, const char *name, int class, int type, unsigned char *answer, int length) {
    if (is_answered_here()) return noted(state, search(name, class, type, answer, length));
    return REAL(res_nsearch)(state, name, class, type, answer, length);
}

int res_nquerydomain(res_state state, const char *name, const char *domain, int class, int type,
                     unsigned char *answer, int length) {
    if (is_answered_here())
        return noted(state, query_in(name, domain, class, type, answer, length));
    return REAL(res_nquerydomain)(state, name, domain, class, type, answer, length);
}

int res_nsend(res_state state, const unsigned char *question, int question_length, unsigned char *answer,
              int length) {
    if (is_answered_here())
        return noted(state, send_question(question, question_length, answer, length));
    return REAL(res_nsend)(state, question, question_length, answer, length);
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
