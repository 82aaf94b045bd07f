/* The variables of the initial environment that concern the library, and how programs that the process starts inherit
 * them.
 *
 * A program may clear its environment, or start another one with a list of its own. The library adds its variables to
 * that list, so that no child goes direct. In C, because it happens in children of vfork. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Copies the variables that concern the library, once. */
void environment_capture(void);

/* The initial value of the variable; NULL if it was not set, or is not captured. */
const char *_Nullable environment_captured(const char *_Nonnull name);

/* The value of any variable in the program's present environment. */
const char *_Nullable environment_of_program(const char *_Nonnull name);

/* Adds `SOCKSIFY_CONF=path` to the environment of children: with a cleared environment a child would not find the file
 * by its own search. Called once, before the owner of `path` publishes anything. */
void environment_hand_on_configuration_file(const char *_Nonnull path);

/* Whether this program may have inherited sockets that are relayed, pending or substitutes, or with remembered options
 * or addresses: the process that started it says so by SOCKSIFY_SOCKETS. Removes the variable from the environment. */
int environment_take_sockets_variable(void);

/* Chooses the file of the process tree's table, SOCKSIFY_TABLE=path, unless an ancestor did. The first process that
 * needs the file creates it. Its name is `socksify-PID-` and 16 hexadecimal digits. Its directory is $XDG_RUNTIME_DIR,
 * else /dev/shm/socksify-UID, else /dev/shm if another user owns that one. No name is chosen if the kernel has no
 * random bytes yet, or if the program runs with the rights of another user. */
void environment_choose_table(void);

/* Whether the process may have to clean up the table when it ends: it has used the table, or it is the root of the tree
 * and the file exists. Only the root pays a system call. */
int environment_may_have_table(void);

/* No other process can share the table yet. Once one can, `*is_handed_on` becomes 1. */
void environment_table_is_unshared(uint64_t *_Nonnull is_handed_on);

/* Whether the process is the root of its tree, and has started no other process yet. */
int environment_is_alone(void);

/* Called before another process shares the table: names the table, and marks it as handed on. */
void environment_hand_on_table(void);

/* The pointers and bytes that a completed copy of `environment` needs; both 0 if it is complete. */
struct environment_size {
    size_t pointers;
    size_t bytes;
    /* Whether a variable is missing that this process began with; a table name chosen later does not count. */
    int is_cleaned;
};
struct environment_size environment_missing(char *_Nullable const *_Nullable environment);

/* Writes the completed `environment` to memory for `size.pointers` pointers, followed by `size.bytes` bytes. 0 if that
 * is too small, because a variable was added since. */
int environment_complete(char *_Nullable const *_Nullable environment, struct environment_size size,
                         void *_Nonnull memory);

/* Writes a shell command that exports the variables missing in `environment`, and then executes a shell with `command`,
 * as far as there is room. Returns its size with the closing zero. */
size_t environment_write_shell_command(char *_Nullable const *_Nullable environment, const char *_Nonnull command,
                                       char *_Nullable text, size_t room);
