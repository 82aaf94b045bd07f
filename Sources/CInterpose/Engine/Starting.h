/* The start of a program by any of libc's calls. */
#pragma once

struct start {
    /* Makes the call. Returns the error's number, 0 for success. */
    int (*_Nonnull call)(struct start *_Nonnull start);
    /* The file, as execveat(2) takes it. */
    int directory;
    const char *_Nonnull path;
    int flags;
    /* The completed environment of the program. */
    char *_Nullable const *_Nullable variables;
    /* Whether the program replaces this one, instead of running in a child. */
    int takes_place;
    /* Whether a child may change its directory and its descriptors first (posix_spawn(3), file actions). */
    int has_actions;
};

/* Starts a program as its kind and the configuration require. Returns the call's result, or an error number. */
int start_program(struct start *_Nonnull start);
