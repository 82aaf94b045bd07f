/* environment [NAME...]: prints these variables and the number of all variables; with PROBE_LENGTHS, the length of
 * each further argument. */
#include "probe.h"

extern char **environ;

int main(int count, char **arguments) {
    int number = 0;
    for (char **entry = environ; *entry; entry++) number++;
    for (int index = 1; index < count; index++) {
        const char *value = getenv(arguments[index]);
        if (strlen(arguments[index]) > 100) say("argument of %zu\n", strlen(arguments[index]));
        else say("%s=%s\n", arguments[index], value ? value : "(not set)");
    }
    say("%d variables\n", number);
}
