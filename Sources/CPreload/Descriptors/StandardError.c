#include "StandardError.h"

#include <unistd.h>

#include "CKernel.h"

enum { UNKNOWN, KNOWN, CLOSED };
static int knowledge;
static dev_t device;
static ino_t inode;

static int look(struct stat *status) {
    return kernel_call(SYS_fstat, STDERR_FILENO, (long)status, 0, 0, 0, 0) == 0;
}

void standard_error_capture(void) {
    struct stat status;
    if (__atomic_load_n(&knowledge, __ATOMIC_ACQUIRE) != UNKNOWN) return;
    int is_open = look(&status);
    if (is_open) {
        device = status.st_dev;
        inode = status.st_ino;
    }
    __atomic_store_n(&knowledge, is_open ? KNOWN : CLOSED, __ATOMIC_RELEASE);
}

int standard_error_is_for_people(void) {
    struct stat status;
    int domain = AF_UNIX;
    standard_error_capture();
    if (knowledge != KNOWN || !look(&status) || status.st_dev != device || status.st_ino != inode) return 0;
    if (S_ISSOCK(status.st_mode)) kernel_getsockopt(STDERR_FILENO, SOL_SOCKET, SO_DOMAIN, &domain, sizeof domain);
    return domain == AF_UNIX;
}
