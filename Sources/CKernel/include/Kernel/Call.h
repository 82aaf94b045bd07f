/* A system call, with up to six words. */
#pragma once

#include <sys/syscall.h>

#if defined(__x86_64__)
#include "arch/x86_64.h"
#elif defined(__aarch64__)
#include "arch/aarch64.h"
#else
#error "socksify knows the system call instruction of x86-64 and AArch64 only"
#endif
