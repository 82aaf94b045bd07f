/* Makes the queries of ask.bash by resolver(3); a failure is printed as the name of its h_errno. */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

static const char *error_name(int code) {
    switch (code) {
        case HOST_NOT_FOUND: return "HOST_NOT_FOUND";
        case TRY_AGAIN: return "TRY_AGAIN";
        case NO_RECOVERY: return "NO_RECOVERY";
        case NO_DATA: return "NO_DATA";
        default: return "another error";
    }
}

/* The data of a record as text, with its length. A TXT record must have a single string. */
static const char *data(const ns_msg *message, const ns_rr *record) {
    static char text[1100];
    char name[NS_MAXDNAME];
    const unsigned char *start = ns_rr_rdata(*record);
    switch (ns_rr_type(*record)) {
        case ns_t_a: return inet_ntop(AF_INET, start, text, sizeof text);
        case ns_t_aaaa: return inet_ntop(AF_INET6, start, text, sizeof text);
        case ns_t_txt: snprintf(text, sizeof text, "%.*s", start[0], start + 1); return text;
        case ns_t_ptr:
            ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), start, text, sizeof text);
            return text;
        case ns_t_mx:
            ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message), start + 2, name, sizeof name);
            snprintf(text, sizeof text, "%u %s", ns_get16(start), name);
            return text;
        default: return "another type";
    }
}

static unsigned char answer[65536];

static int ask(const char *name, int type, ns_msg *message) {
    int length = res_query(name, ns_c_in, type, answer, sizeof answer);
    return length >= 0 && ns_initparse(answer, length, message) == 0 ? ns_msg_count(*message, ns_s_an) : -1;
}

int main(void) {
    static const struct {
        const char *name, *word;
        int type;
    } questions[] = {
        {"web.test", "A", ns_t_a},
        {"web.test", "AAAA", ns_t_aaaa},
        {"web.test", "MX", ns_t_mx},
        {"web.test", "TXT", ns_t_txt},
        {"11.113.0.203.in-addr.arpa", "PTR", ns_t_ptr},
        {"none.test", "A", ns_t_a},
    };
    ns_msg message;
    ns_rr record;
    for (size_t index = 0; index < sizeof questions / sizeof *questions; index++) {
        int count = ask(questions[index].name, questions[index].type, &message);
        printf("%s", questions[index].word);
        if (count < 0) printf(" %s", error_name(h_errno));
        for (int number = 0; number < count; number++)
            if (ns_parserr(&message, ns_s_an, number, &record) == 0) printf(" %s", data(&message, &record));
        printf("\n");
    }
    int count = ask("big.test", ns_t_txt, &message);
    size_t length = 0;
    for (int number = 0; number < count; number++)
        if (ns_parserr(&message, ns_s_an, number, &record) == 0) length += strlen(data(&message, &record));
    printf("TXT %d %zu\n", count < 0 ? 0 : count, length);
}
