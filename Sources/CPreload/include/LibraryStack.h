/* The library's own stacks.
 *
 * A hook may run on a very small stack: of a thread with PTHREAD_STACK_MIN, of a coroutine, of a signal handler. So
 * code that needs more than a few hundred bytes runs on a stack of the library, with signals blocked: a signal handler
 * would run on it, too, garbage collectors in the handler would scan it for the thread's stack, and siglongjmp(3) would
 * leave it. Waiting calls, and code of others, run on the program's stack with the program's signal mask.
 *
 * In C, because the switch needs assembly. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef long library_function(void *_Nullable argument);

/* Runs the function on a stack of the library, on the present one if the thread is on such a stack already. Returns 0,
 * without having run it, if no stack is available. Safe in signal handlers, and in children of fork and vfork. */
int library_stack_run(library_function *_Nonnull function, void *_Nullable argument, long *_Nonnull result);

/* Runs the function on the program's stack, with the program's signals. */
long program_stack_run(library_function *_Nonnull function, void *_Nullable argument);

/* The same with signals blocked. The function can unblock them while it waits, with the mask of program_signals(). */
long program_stack_run_blocked(library_function *_Nonnull function, void *_Nullable argument);

/* The signals that the program blocks, as a mask for ppoll(2); NULL if the library has blocked none. */
const uint64_t *_Nullable program_signals(void);

/* For a thread that ends while its function runs on the program's stack: releases the library's stack, and unblocks
 * the signals. */
void library_stack_abandon(void);

/* Releases the memory of the unused lower part of the library's stack on which the thread runs. */
void library_stack_trim(void);

/* LIBRARY_MEMORY_SIZE bytes for the calling function, one block at a time, aligned for every type; NULL if there is no
 * memory. A thread that ends, or leaves by longjmp(3), releases it thereby. */
enum { LIBRARY_MEMORY_SIZE = 112 * 1024 };
#define library_memory_take() library_memory_take_for(__builtin_frame_address(0))
void *_Nullable library_memory_take_for(const void *_Nonnull frame);
void library_memory_give_back(void *_Nonnull memory);

/* A call with up to seven words, to be made on another stack. */
struct call {
    void *_Nonnull function;
    long words[7];
};
long call_apply(void *_Nonnull call);
/* Makes the call on a stack of the library, or on the present one if none is available. */
long library_stack_call(struct call *_Nonnull call);

/* ----- Calls by their usual form ----- */

#define CALL_WORDS_0() 0
#define CALL_WORDS_1(a) (long)(a)
#define CALL_WORDS_2(a, ...) (long)(a), CALL_WORDS_1(__VA_ARGS__)
#define CALL_WORDS_3(a, ...) (long)(a), CALL_WORDS_2(__VA_ARGS__)
#define CALL_WORDS_4(a, ...) (long)(a), CALL_WORDS_3(__VA_ARGS__)
#define CALL_WORDS_5(a, ...) (long)(a), CALL_WORDS_4(__VA_ARGS__)
#define CALL_WORDS_6(a, ...) (long)(a), CALL_WORDS_5(__VA_ARGS__)
#define CALL_WORDS_7(a, ...) (long)(a), CALL_WORDS_6(__VA_ARGS__)
#define CALL_COUNT(ignored, a, b, c, d, e, f, g, count, ...) count
#define CALL_WORDS_OF(count) CALL_WORDS_##count
#define CALL_WORDS_BY(count) CALL_WORDS_OF(count)
#define CALL(function, ...)                                                                    \
    ((struct call){(void *)(function),                                                         \
                   {CALL_WORDS_BY(CALL_COUNT(0, ##__VA_ARGS__, 7, 6, 5, 4, 3, 2, 1, 0))(__VA_ARGS__)}})

/* function(arguments) on a stack of the library; `refused` if none is available. */
#define ON_LIBRARY_STACK(refused, function, ...)                                               \
    ((__typeof__((function)(__VA_ARGS__)))({                                                   \
        long library_stack_result;                                                             \
        library_stack_run(call_apply, &CALL(function, ##__VA_ARGS__), &library_stack_result)   \
            ? library_stack_result                                                             \
            : (long)(refused);                                                                 \
    }))

/* The same, but if none is available the function runs on the present stack. */
#define ON_LIBRARY_STACK_IF_THERE(function, ...)                                               \
    ((__typeof__((function)(__VA_ARGS__)))library_stack_call(&CALL(function, ##__VA_ARGS__)))

/* function(arguments) on the program's stack, with its signal mask. */
#define ON_PROGRAM_STACK(function, ...)                                                        \
    ((__typeof__((function)(__VA_ARGS__)))program_stack_run(call_apply, &CALL(function, ##__VA_ARGS__)))
