/* How the kernel runs a file, determined from its untrusted bytes.
 *
 * In C, because it happens in children of vfork, and on small stacks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum executable_format {
    /* Another format: the kernel decides. */
    EXECUTABLE_UNKNOWN,
    /* `#!`, and the program that it names. */
    EXECUTABLE_SCRIPT,
    /* ELF programs of this machine: made by the Go compiler, whose code makes system calls without the C library, */
    EXECUTABLE_GO,
    /* else those that name glibc's dynamic linker, */
    EXECUTABLE_DYNAMIC,
    /* that of another libc, */
    EXECUTABLE_OTHER_LIBC,
    /* or none. */
    EXECUTABLE_STATIC,
    /* An ELF program of another word size. */
    EXECUTABLE_OTHER_WORD_SIZE,
    /* An ELF program of another kind of machine. */
    EXECUTABLE_OTHER_MACHINE,
};

enum {
    /* The most bytes of program headers that the kernel accepts. */
    EXECUTABLE_LARGEST_TABLE = 65536,
    /* The most bytes of a script that the kernel reads. */
    EXECUTABLE_LINE = 256,
};

struct executable {
    enum executable_format format;
    /* The interpreter of a script, or the linker of a dynamic program; truncated if longer. */
    char name[EXECUTABLE_LINE];
};

/* Reads up to `count` bytes at `offset`. Returns the number of bytes: fewer at the end of the file, 0 on failure. */
typedef size_t (*executable_reader)(void *_Nullable context, void *_Nonnull bytes, size_t count, uint64_t offset);

void executable_read(executable_reader _Nonnull read, void *_Nullable context, struct executable *_Nonnull executable);

/* Whether the file's name is that of glibc's dynamic linker. */
int is_dynamic_linker(const char *_Nonnull path);

/* Whether a `security.capability` attribute (struct vfs_cap_data of the kernel) gives capabilities: it has permitted
 * ones, or the effective flag. */
int capabilities_are_given(const uint8_t *_Nonnull attribute, size_t count);
