#include "LibraryStack.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#include "CKernel.h"
#include "ProcessIdentity.h"
#include "ProcessState.h"

/* Lies at the upper end of its mapping. The stack grows down from there to a page without access. */
struct library_stack {
    struct library_stack *next;
    /* The thread that has it (process_owner); 0: free. */
    uint64_t owner;
    /* The program's stack pointer when the thread changed to this stack, UINTPTR_MAX before; the signals that were
     * blocked then, and whether they are known. */
    uintptr_t program_stack;
    uint64_t signals;
    int has_signals;
};

/* The library's need (scripts/check-stack adds it up), and that of a handler of SIGSEGV or SIGSYS, which are not
 * blocked. Only touched pages take memory. */
enum {
    STACK_SIZE = 128 * 1024,
    HEADER_SIZE = 64,
};
_Static_assert(sizeof(struct library_stack) <= HEADER_SIZE, "the header");
_Static_assert(LIBRARY_MEMORY_SIZE + HEADER_SIZE <= STACK_SIZE - 8192, "a page in front, of 4096 bytes or more");

static struct library_stack *first;
/* The stack that the thread took last. The thread may have left it by longjmp(3); the address of a frame tells whether
 * the thread is on it. */
static __thread struct library_stack *current __attribute__((tls_model("initial-exec")));

/* Runs function(argument) on the stack that ends at `top`, and stores the present stack pointer at `left`. */
long library_stack_switch(library_function *function, void *argument, uintptr_t top, uintptr_t *left)
    __attribute__((visibility("hidden")));

#if defined(__x86_64__)
__asm__(".pushsection .text\n"
        ".balign 16\n"
        ".hidden library_stack_switch\n"
        ".globl library_stack_switch\n"
        ".type library_stack_switch, @function\n"
        "library_stack_switch:\n"
        ".cfi_startproc\n"
        "endbr64\n"
        "pushq %rbp\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbp, -16\n"
        "movq %rsp, %rbp\n"
        ".cfi_def_cfa_register %rbp\n"
        "movq %rsp, (%rcx)\n"
        "movq %rdx, %rsp\n"
        "movq %rdi, %rax\n"
        "movq %rsi, %rdi\n"
        "callq *%rax\n"
        "movq %rbp, %rsp\n"
        "popq %rbp\n"
        ".cfi_def_cfa %rsp, 8\n"
        "retq\n"
        ".cfi_endproc\n"
        ".size library_stack_switch, . - library_stack_switch\n"
        ".popsection\n");
#elif defined(__aarch64__)
__asm__(".pushsection .text\n"
        ".balign 16\n"
        ".hidden library_stack_switch\n"
        ".globl library_stack_switch\n"
        ".type library_stack_switch, %function\n"
        "library_stack_switch:\n"
        ".cfi_startproc\n"
        "hint #34\n" /* bti c */
        "stp x29, x30, [sp, #-16]!\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset x29, -16\n"
        ".cfi_offset x30, -8\n"
        "mov x29, sp\n"
        ".cfi_def_cfa x29, 16\n"
        "str x29, [x3]\n"
        "mov x9, x0\n"
        "mov x0, x1\n"
        "mov sp, x2\n"
        "blr x9\n"
        "mov sp, x29\n"
        "ldp x29, x30, [sp], #16\n"
        ".cfi_def_cfa sp, 0\n"
        "ret\n"
        ".cfi_endproc\n"
        ".size library_stack_switch, . - library_stack_switch\n"
        ".popsection\n");
#else
#error "no way to change the stack is known for this processor"
#endif

static inline uintptr_t here(void) {
    return (uintptr_t)__builtin_frame_address(0);
}

static inline int is_on(const struct library_stack *stack) {
    return stack && (uintptr_t)stack - here() < STACK_SIZE;
}

/* ----- Signals ----- */

/* Blocks all signals but those that an instruction or a system call of the thread causes: a blocked one of these ends
 * the process. A process under a seccomp filter makes no such call, so handlers may run there. */
static int block(uint64_t *signals) {
    if (process_is_confined()) return 0;
    const uint64_t blocked = ~(kernel_signal(SIGSEGV) | kernel_signal(SIGBUS) | kernel_signal(SIGILL) |
                               kernel_signal(SIGFPE) | kernel_signal(SIGTRAP) | kernel_signal(SIGSYS));
    return kernel_signal_mask(SIG_BLOCK, &blocked, signals) == 0;
}

/* ----- The stacks ----- */

/* The count of stacks of one thread from which on it looks for unused ones. Handlers that interrupt waits take more
 * than one. */
enum { NESTING = 4 };
/* The count of its stacks, including those that it has left by longjmp(3). */
static __thread int taken __attribute__((tls_model("initial-exec")));

static void give_back(struct library_stack *stack) {
    taken--;
    stack->program_stack = UINTPTR_MAX;
    __atomic_store_n(&stack->owner, 0, __ATOMIC_RELEASE);
}

/* Frees the stacks that the calling thread has left by longjmp(3). `end` is the end of its program's stack. The thread
 * then runs above the place where it left the program's stack; a handler on the same stack would run below that place,
 * one on an alternate stack anywhere. */
static void give_back_left_behind(uint64_t own, uintptr_t end) {
    stack_t alternate;
    if (kernel_call(SYS_sigaltstack, 0, (long)&alternate, 0, 0, 0, 0) == 0 && alternate.ss_flags & SS_ONSTACK) return;
    taken = 0;
    for (struct library_stack *stack = __atomic_load_n(&first, __ATOMIC_ACQUIRE); stack; stack = stack->next) {
        if (__atomic_load_n(&stack->owner, __ATOMIC_RELAXED) != own) continue;
        taken++;
        if (end >= stack->program_stack) give_back(stack);
    }
}

static struct library_stack *make(uint64_t owner) {
    size_t page = (size_t)kernel_page_size();
    long mapped = kernel_map(STACK_SIZE);
    if (mapped < 0) return NULL;
    kernel_call(SYS_mprotect, mapped, (long)page, PROT_NONE, 0, 0, 0);
    struct library_stack *stack = (struct library_stack *)(mapped + STACK_SIZE - HEADER_SIZE);
    stack->owner = owner;
    stack->program_stack = UINTPTR_MAX;
    stack->next = __atomic_load_n(&first, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&first, &stack->next, stack, 1, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) continue;
    return stack;
}

static int claim(struct library_stack *stack, uint64_t owner, uint64_t own) {
    return __atomic_compare_exchange_n(&stack->owner, &owner, own, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* Signals are blocked. */
static struct library_stack *take(uintptr_t end) {
    uint64_t own = process_owner();
    if (taken >= NESTING) give_back_left_behind(own, end);
    struct library_stack *start = __atomic_load_n(&first, __ATOMIC_ACQUIRE), *stack = start;
    while (stack && !claim(stack, 0, own)) stack = stack->next;
    if (!stack) {
        for (stack = start; stack; stack = stack->next) {
            uint64_t owner = __atomic_load_n(&stack->owner, __ATOMIC_RELAXED);
            if (owner != own && owner && process_owner_is_gone(owner) && claim(stack, owner, own)) break;
        }
    }
    if (!stack) stack = make(own);
    if (stack) taken++;
    return stack;
}

/* ----- Switching stacks ----- */

int library_stack_run(library_function *function, void *argument, long *result) {
    if (is_on(current)) {
        *result = function(argument);
        return 1;
    }
    uint64_t signals = 0;
    int has_signals = block(&signals);
    struct library_stack *stack = take(here()), *previous = current;
    if (stack) {
        stack->signals = signals;
        stack->has_signals = has_signals;
        current = stack;
        *result = library_stack_switch(function, argument, (uintptr_t)stack, &stack->program_stack);
        current = previous;
        signals = stack->signals;
        give_back(stack);
    }
    if (has_signals) kernel_restore_signals(&signals);
    return stack != NULL;
}

void library_stack_trim(void) {
    if (!is_on(current)) return;
    uintptr_t page = (uintptr_t)kernel_page_size();
    uintptr_t start = (uintptr_t)current + HEADER_SIZE - STACK_SIZE + page;
    /* The frames of this call lie on the page below, which is kept. */
    uintptr_t end = (here() & ~(page - 1)) - page;
    if (end > start) kernel_call(SYS_madvise, (long)start, (long)(end - start), MADV_DONTNEED, 0, 0, 0);
}

const uint64_t *program_signals(void) {
    return is_on(current) && current->has_signals ? &current->signals : NULL;
}

void library_stack_abandon(void) {
    struct library_stack *stack = current;
    if (!stack || __atomic_load_n(&stack->owner, __ATOMIC_RELAXED) != process_owner()) return;
    uint64_t signals = stack->signals;
    int has_signals = stack->has_signals;
    give_back(stack);
    if (has_signals) kernel_restore_signals(&signals);
}

long program_stack_run_blocked(library_function *function, void *argument) {
    struct library_stack *stack = current;
    if (!is_on(stack)) return function(argument);
    uintptr_t left;
    long result = library_stack_switch(function, argument, stack->program_stack & ~(uintptr_t)15, &left);
    current = stack;
    return result;
}

struct unblocked {
    library_function *function;
    void *argument;
    struct library_stack *stack;
};

static long run_unblocked(void *argument) {
    const struct unblocked *call = argument;
    if (call->stack->has_signals) kernel_restore_signals(&call->stack->signals);
    long result = call->function(call->argument);
    if (call->stack->has_signals) block(&call->stack->signals);
    return result;
}

long program_stack_run(library_function *function, void *argument) {
    struct unblocked call = {function, argument, current};
    return is_on(current) ? program_stack_run_blocked(run_unblocked, &call) : function(argument);
}

/* The callee reads as many words as it has parameters. */
long call_apply(void *argument) {
    const struct call *call = argument;
    const long *words = call->words;
    return ((long (*)(long, long, long, long, long, long, long))call->function)(
        words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
}

long library_stack_call(struct call *call) {
    long result;
    return library_stack_run(call_apply, call, &result) ? result : call_apply(call);
}

/* ----- Memory ----- */

void *library_memory_take_for(const void *frame) {
    uint64_t signals = 0;
    int has_signals = block(&signals);
    struct library_stack *stack = take((uintptr_t)frame);
    if (stack) stack->program_stack = (uintptr_t)frame;
    if (has_signals) kernel_restore_signals(&signals);
    return stack ? (char *)stack - LIBRARY_MEMORY_SIZE : NULL;
}

void library_memory_give_back(void *memory) {
    give_back((struct library_stack *)((char *)memory + LIBRARY_MEMORY_SIZE));
}
