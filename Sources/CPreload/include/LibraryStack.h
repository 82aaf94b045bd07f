/* Stacks of the library's own.
 *
 * A hook is called on whatever stack the program has: that of a thread of PTHREAD_STACK_MIN, of a coroutine, of a
 * signal handler. So what needs more than a few hundred bytes runs on a stack that the library keeps for it, with
 * signals blocked: a handler would run there, too, and garbage collectors look from it for the thread's own stack, and
 * siglongjmp(3) leaves it. What waits, and all code that is not the library's, runs on the program's stack, with the
 * program's signals.
 *
 * In C, because a stack is changed in assembly. */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef long library_function(void *_Nullable argument);

/* Runs the function on a stack of the library's own, on the present one if the thread is on such already. Returns 0
 * where there is none to be had: nothing has run then. Safe in signal handlers, and in children of fork and vfork. */
int library_stack_run(library_function *_Nonnull function, void *_Nullable argument, long *_Nonnull result);

/* Runs the function on the program's stack, with the program's signals. */
long program_stack_run(library_function *_Nonnull function, void *_Nullable argument);

/* The same with signals blocked, which the function can unblock for as long as it waits: `signals` of the cancellation
 * below. */
long program_stack_run_blocked(library_function *_Nonnull function, void *_Nullable argument);

/* The signals that the program itself blocks, as a mask for ppoll(2); NULL where the library has blocked none. */
const uint64_t *_Nullable program_signals(void);

/* A thread ends while its function runs on the program's stack: gives up the library's, and unblocks the signals. */
void library_stack_abandon(void);

/* Gives back the memory of what the thread has used further down the library's stack, on which it is. */
void library_stack_trim(void);

/* Memory of LIBRARY_MEMORY_SIZE bytes for the function that asks, once at a time, aligned for everything; NULL when
 * there is none. A thread that ends in between, or leaves by longjmp(3), gives it back by that. */
enum { LIBRARY_MEMORY_SIZE = 112 * 1024 };
#define library_memory_take() library_memory_take_for(__builtin_frame_address(0))
void *_Nullable library_memory_take_for(const void *_Nonnull frame);
void library_memory_give_back(void *_Nonnull memory);

/* A call of up to seven words, for what runs elsewhere. */
struct call {
    void *_Nonnull function;
    long words[7];
};
long call_apply(void *_Nonnull call);
/* On a stack of the library's own if there is one. */
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

/* function(arguments) on a stack of the library's own; `refused` if there is none. */
#define ON_LIBRARY_STACK(refused, function, ...)                                               \
    ((__typeof__((function)(__VA_ARGS__)))({                                                   \
        long library_stack_result;                                                             \
        library_stack_run(call_apply, &CALL(function, ##__VA_ARGS__), &library_stack_result)   \
            ? library_stack_result                                                             \
            : (long)(refused);                                                                 \
    }))

/* The same, but without such a stack the function runs on the present one. */
#define ON_LIBRARY_STACK_IF_THERE(function, ...)                                               \
    ((__typeof__((function)(__VA_ARGS__)))library_stack_call(&CALL(function, ##__VA_ARGS__)))

/* function(arguments) on the program's stack, with its signals. */
#define ON_PROGRAM_STACK(function, ...)                                                        \
    ((__typeof__((function)(__VA_ARGS__)))program_stack_run(call_apply, &CALL(function, ##__VA_ARGS__)))
