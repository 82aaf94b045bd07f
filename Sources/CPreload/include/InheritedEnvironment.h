/* The environment that the process began with, as far as it concerns the library, and its way into the programs
 * that the process starts.
 *
 * A program may empty its environment, or start another with a list of its own making; what makes the library work
 * is added to that list, so that no child goes direct. In C, because it happens in children of vfork. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Takes a copy of the variables that concern the library, once. */
void environment_capture(void);

/* The value of the variable at the start; NULL if it was not set, or is not captured. */
const char *_Nullable environment_captured(const char *_Nonnull name);

/* The value that a variable of any name has in the environment of the program as it is now. */
const char *_Nullable environment_of_program(const char *_Nonnull name);

/* Adds `SOCKSIFY_CONF=path` to what children are given: the file that was found by a search which an emptied
 * environment would not repeat. Called once, before `path`'s owner hands out anything. */
void environment_hand_on_configuration_file(const char *_Nonnull path);

/* Whether the process that started this program has told it that it may have been given sockets that are relayed,
 * that are pending, that stand in the places of others, or to whose options or own addresses there is more
 * (SOCKSIFY_SOCKETS). Takes that out of the environment. */
int environment_take_sockets_variable(void);

/* Names the file of the table that this process and its descendants share, as `SOCKSIFY_TABLE=path`, unless an ancestor
 * did. The file is made by whoever needs it first. In $XDG_RUNTIME_DIR, or else in a folder of /dev/shm, `socksify-`
 * and the number of the user, or in /dev/shm itself where that folder is another's: `socksify-`, the number of this
 * process, `-`, 16 hexadecimal digits. Where the kernel has no random bytes yet, or the program runs with the
 * rights of another user, there is no name. */
void environment_choose_table(void);

/* Whether the table may have to be removed at the process' end: it has used it, or is the root of the tree, and
 * somebody has made the file. Costs the root alone a system call. */
int environment_may_have_table(void);

/* There is nobody yet who could share the table with this process. Once there is, `*is_handed_on` becomes 1. */
void environment_table_is_unshared(uint64_t *_Nonnull is_handed_on);

/* Whether the process is the first of its tree, and has started no other yet. */
int environment_is_alone(void);

/* Called before there is another process that shares the table: it has a name then, and is marked as handed on. */
void environment_hand_on_table(void);

/* Count of the pointers, and of the bytes, that a completed copy of `environment` needs; both 0 when it is complete. */
struct environment_size {
    size_t pointers;
    size_t bytes;
    /* Whether something is gone that this process began with: more than the name of a table that was chosen since. */
    int is_cleaned;
};
struct environment_size environment_missing(char *_Nullable const *_Nullable environment);

/* Writes a list of `environment` and what it lacks to memory of `size.pointers` pointers, behind them `size.bytes`
 * bytes. 0 when that is not enough, because something has been added since. */
int environment_complete(char *_Nullable const *_Nullable environment, struct environment_size size,
                         void *_Nonnull memory);

/* Writes a command for the shell that exports what `environment` lacks, and executes a shell for `command`, as far as
 * there is room. Returns the bytes that it takes, with the zero at its end. */
size_t environment_write_shell_command(char *_Nullable const *_Nullable environment, const char *_Nonnull command,
                                       char *_Nullable text, size_t room);
