#include "ProcessState.h"

#include "CKernel.h"
#include "ProcessIdentity.h"

static uint64_t runtime, lookup_lock, user, told, log_file, log_limit;

uint64_t *process_runtime_word(void) {
    return &runtime;
}

static int is_confined;

int process_is_confined(void) {
    return __atomic_load_n(&is_confined, __ATOMIC_RELAXED);
}

void process_confine(void) {
    __atomic_store_n(&is_confined, 1, __ATOMIC_RELAXED);
}

int process_has_ended(int process) {
    return !process_is_confined() && !kernel_process_exists(process);
}

int process_runtime_is_made(void) {
    return __atomic_load_n(&runtime, __ATOMIC_RELAXED) > 1;
}

uint64_t *process_lookup_lock_word(void) {
    return &lookup_lock;
}

uint64_t *process_user_word(void) {
    return &user;
}

uint64_t *process_told_word(void) {
    return &told;
}

uint64_t *process_log_file_word(void) {
    return &log_file;
}

uint64_t *process_question_words(void) {
    return process_words()->questions;
}

uint64_t *process_log_limit_word(void) {
    return &log_limit;
}
