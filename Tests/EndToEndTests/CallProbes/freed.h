/* Results of libc's name functions: free(3) must give each to the allocator that it came from. */
#pragma once

#include "probe.h"

static void look_up(const char *name, int flags) {
    struct addrinfo hints = {.ai_flags = flags, .ai_socktype = SOCK_STREAM}, *list;
    int code = getaddrinfo(name, "80", &hints, &list);
    say("getaddrinfo %d %s\n", code, code || !list->ai_canonname ? "without a name" : list->ai_canonname);
    if (code == 0) freeaddrinfo(list);
}

int main(int count, char **arguments) {
    require(count == 2);
    look_up(arguments[1], 0);
    look_up(arguments[1], AI_CANONNAME);
    look_up("127.0.0.1", AI_CANONNAME);
    struct addrinfo hints = {.ai_flags = AI_CANONNAME};
    struct gaicb request = {.ar_name = arguments[1], .ar_request = &hints}, *requests[] = {&request};
    int code = getaddrinfo_a(GAI_WAIT, requests, 1, NULL);
    say("getaddrinfo_a %d %s\n", code, code ? "without a name" : request.ar_result->ai_canonname);
    if (code == 0) freeaddrinfo(request.ar_result);
    say("gethostbyname %s\n", gethostbyname(arguments[1]) ? "found" : "not found");
    FILE *command = popen("echo popen", "r");
    char line[16] = "";
    require(command && fgets(line, sizeof line, command));
    say("%s", line);
    require(pclose(command) == 0);
}
