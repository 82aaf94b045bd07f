/* Prints what the constructor of its library got. */
#include <stdio.h>

extern const char *early_result;
extern char early_text[];

int main(void) {
    printf("%s %s\n", early_result, early_text);
    return 0;
}
