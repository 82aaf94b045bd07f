/* Names of the codes of getaddrinfo(3), and an address list as text. */
#pragma once

#include "probe.h"

unused static const char *code_name(int code) {
    switch (code) {
        case 0: return "0";
        case EAI_ADDRFAMILY: return "EAI_ADDRFAMILY";
        case EAI_AGAIN: return "EAI_AGAIN";
        case EAI_BADFLAGS: return "EAI_BADFLAGS";
        case EAI_FAIL: return "EAI_FAIL";
        case EAI_FAMILY: return "EAI_FAMILY";
        case EAI_MEMORY: return "EAI_MEMORY";
        case EAI_NODATA: return "EAI_NODATA";
        case EAI_NONAME: return "EAI_NONAME";
        case EAI_OVERFLOW: return "EAI_OVERFLOW";
        case EAI_SERVICE: return "EAI_SERVICE";
        case EAI_SOCKTYPE: return "EAI_SOCKTYPE";
        case EAI_SYSTEM: return "EAI_SYSTEM";
        case EAI_INPROGRESS: return "EAI_INPROGRESS";
        case EAI_ALLDONE: return "EAI_ALLDONE";
        case EAI_CANCELED: return "EAI_CANCELED";
        default: return "another code";
    }
}

unused static const char *host_error_name(int code) {
    switch (code) {
        case NETDB_INTERNAL: return "NETDB_INTERNAL";
        case NETDB_SUCCESS: return "NETDB_SUCCESS";
        case HOST_NOT_FOUND: return "HOST_NOT_FOUND";
        case TRY_AGAIN: return "TRY_AGAIN";
        case NO_RECOVERY: return "NO_RECOVERY";
        case NO_DATA: return "NO_DATA";
        default: return "another error";
    }
}

/* Prints a word for a reserved address, whose value does not matter. */
unused static const char *known(const struct sockaddr *of) {
    static __thread char text[90];
    const char *plain = text_of(of);
    int port = -1;
    if (sscanf(plain, "198.1%*1[89].%*d.%*d %d", &port) == 1) snprintf(text, sizeof text, "FAKE4 %d", port);
    else if (sscanf(plain, "fd73:6f63:6b73:6661:6b65:%*s %d", &port) == 1)
        snprintf(text, sizeof text, "FAKE6 %d", port);
    else snprintf(text, sizeof text, "%s", plain);
    return text;
}

unused static void say_list(const struct addrinfo *list) {
    for (; list; list = list->ai_next) {
        unsigned scope = list->ai_family == AF_INET6 ? ((struct sockaddr_in6 *)list->ai_addr)->sin6_scope_id : 0;
        say("%s type %d protocol %d%s%s%s\n", known(list->ai_addr), list->ai_socktype, list->ai_protocol,
            scope ? " scoped" : "", list->ai_canonname ? " canonical " : "",
            list->ai_canonname ? list->ai_canonname : "");
    }
}
