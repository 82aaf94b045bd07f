/* Programs that put themselves under a filter of system calls (seccomp(2)). From then on a call that the program does
 * not make itself may be its end: what the library will need is done before, and it does without what it can do
 * without. */
#include "Interpose.h"

#include <stdarg.h>
#include <sys/prctl.h>

/* A child of vfork confines itself alone. */
void before_filter(void) {
    if (!process_is_own()) return;
    real_find_all();
    start_memory_reserve();
    environment_choose_table();
    socksify_prepare();
}

void after_filter(void) {
    if (process_is_own()) process_confine();
}

int prctl(int option, ...) {
    va_list arguments;
    unsigned long word[4];
    va_start(arguments, option);
    for (int index = 0; index < 4; index++) word[index] = va_arg(arguments, unsigned long);
    va_end(arguments);
    /* Without a filter it is a question, whether there are any. */
    int is_filter = option == PR_SET_SECCOMP && word[1];
    if (is_filter) before_filter();
    int result = REAL(prctl)(option, word[0], word[1], word[2], word[3]);
    if (is_filter && result == 0) after_filter();
    return result;
}
