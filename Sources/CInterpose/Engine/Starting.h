/* A program that is to be started, by whichever of libc's calls. */
#pragma once

struct start {
    /* Makes the call. Returns the error's number, 0 for success. */
    int (*_Nonnull call)(struct start *_Nonnull start);
    /* The file, as execveat(2) takes it. */
    int directory;
    const char *_Nonnull path;
    int flags;
    /* The environment of the program, which lacks nothing of ours. */
    char *_Nullable const *_Nullable variables;
    /* Whether it takes the place of this process, or is a child of it. */
    int takes_place;
    /* Whether a child may change its directory and its descriptors first (posix_spawn(3), file actions). */
    int has_actions;
};

/* Starts a program as its kind, and the configuration, want it. Returns what the call returns, or an error's number. */
int start_program(struct start *_Nonnull start);
