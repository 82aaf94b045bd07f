#include "ProcessState.h"

static uint64_t runtime, runtime_lock, told, log_file, log_allowance;

uint64_t *socksify_runtime_word(void) {
    return &runtime;
}

int runtime_is_made(void) {
    return __atomic_load_n(&runtime, __ATOMIC_RELAXED) > 1;
}

uint64_t *socksify_runtime_lock_word(void) {
    return &runtime_lock;
}

uint64_t *socksify_told_word(void) {
    return &told;
}

uint64_t *socksify_log_file_word(void) {
    return &log_file;
}

uint64_t *socksify_log_allowance_word(void) {
    return &log_allowance;
}
