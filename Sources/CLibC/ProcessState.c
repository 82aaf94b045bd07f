#include "ProcessState.h"

static uint64_t runtime, runtime_lock;

uint64_t *socksify_runtime_word(void) {
    return &runtime;
}

uint64_t *socksify_runtime_lock_word(void) {
    return &runtime_lock;
}
