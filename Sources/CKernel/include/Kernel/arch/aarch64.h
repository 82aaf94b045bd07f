/* How AArch64 calls the kernel, and how large its pages are. */
#pragma once

#include <stddef.h>
#include <sys/auxv.h>

/* The largest page of any kernel for the machine. */
#define KERNEL_LARGEST_PAGE 65536

static inline long kernel_call(long number, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}

static inline size_t kernel_page_size(void) {
    return getauxval(AT_PAGESZ);
}
