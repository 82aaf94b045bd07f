/* Programs that install a system call filter (seccomp(2)). From then on a system call of the library may end the
 * program. So the library prepares beforehand what it will need, and makes no optional calls afterwards. */
#include "Interpose.h"

#include <stdarg.h>
#include <sys/prctl.h>

/* A filter in a child of vfork does not apply to its parent. */
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
    /* Without a filter the call only asks whether filters are supported. */
    int is_filter = option == PR_SET_SECCOMP && word[1];
    if (is_filter) before_filter();
    int result = REAL(prctl)(option, word[0], word[1], word[2], word[3]);
    if (is_filter && result == 0) after_filter();
    return result;
}
