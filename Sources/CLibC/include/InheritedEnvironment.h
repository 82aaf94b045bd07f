/* The environment that the process began with, as far as it concerns the library, and its way into the programs
 * that the process starts.
 *
 * A program may empty its environment, or start another with a list of its own making; what makes the library work
 * is added to that list, so that no child goes around the proxy. In C, because it happens in children of vfork, on
 * their stack alone. */
#pragma once

#include <stddef.h>

/* Takes a copy of the variables that concern the library, once. */
void socksify_capture_environment(void);

/* The value that the variable had at the start; NULL when it was not set, or is none of the captured ones. */
const char *_Nullable socksify_captured_variable(const char *_Nonnull name);

/* Adds `SOCKSIFY_CONF=path` to what children are given: the file that was found by a search which an emptied
 * environment would not repeat. Called once, before `path`'s owner hands out anything. */
void socksify_hand_on_configuration_file(const char *_Nonnull path);

/* Count of the pointers, and of the bytes, that a completed copy of `environment` needs; both 0 when it is complete. */
struct socksify_environment_size {
    size_t pointers;
    size_t bytes;
};
struct socksify_environment_size socksify_missing_environment(char *_Nullable const *_Nullable environment);

/* Fills `pointers` with `environment` and what it lacks; `bytes` holds an LD_PRELOAD that had to be made. */
void socksify_complete_environment(char *_Nullable const *_Nullable environment, char *_Nullable *_Nonnull pointers,
                                   char *_Nonnull bytes);
