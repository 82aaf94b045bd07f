/* A library whose constructor makes a connection: it runs before the constructor of anything that is preloaded. */
#include "probe.h"

const char *early_result = "not run";
char early_text[6];

__attribute__((constructor)) static void connect_early(void) {
    const char *host = getenv("EARLY_HOST"), *port = getenv("EARLY_PORT");
    if (!host || !port) return;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    inet_pton(AF_INET, host, &address.sin_addr);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address) < 0) {
        early_result = strerrorname_np(errno);
        return;
    }
    early_result = "ok";
    if (write(descriptor, "early", 5) != 5) return;
    for (ssize_t received = 0, got; received < 5; received += got)
        if ((got = read(descriptor, early_text + received, 5 - received)) <= 0) return;
}
