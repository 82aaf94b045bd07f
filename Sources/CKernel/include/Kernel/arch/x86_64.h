/* How x86-64 calls the kernel, and how large its pages are. */
#pragma once

#include <stddef.h>

/* The largest page of any kernel for the machine. */
#define KERNEL_LARGEST_PAGE 4096

static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f) {
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline size_t kernel_page_size(void) {
    return KERNEL_LARGEST_PAGE;
}
