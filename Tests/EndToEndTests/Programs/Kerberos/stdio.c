/* stdio HOST PORT: speaks with an echo server by libc's streams. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int main(int count, char **arguments) {
    if (count != 3) return 2;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[2]))};
    inet_pton(AF_INET, arguments[1], &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) return 1;
    FILE *stream = fdopen(fd, "r+");
    char line[100];
    if (!stream || fileno(stream) != fd) return 3;
    for (int turn = 0; turn < 3; turn++) {
        fprintf(stream, "line %d\n", turn);
        fflush(stream);
        if (!fgets(line, sizeof line, stream)) return 4;
        printf("%s", line);
        fflush(stream);
    }
    if (dprintf(fd, "%s %d\n", "by dprintf", 4) != 13) return 5;
    if (!fgets(line, sizeof line, stream)) return 6;
    printf("%s", line);
    return fclose(stream);
}
