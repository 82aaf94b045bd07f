/* Whether a file can be read within a time limit.
 *
 * open(2) and read(2) wait without limit for a file whose server is gone (NFS, FUSE); only SIGKILL ends that wait, and
 * not always. So a child that shares the memory opens the file first, and is killed when the time is over. While one
 * such child lives, no other is created. Local files that the kernel finds by itself need no child.
 *
 * In C, because it calls clone(2). */
#pragma once

/* Returns 0 if neither the file's first byte nor an error arrives within so many milliseconds. 1 without a check if no
 * child can be created, or under a system call filter. */
int file_answers(const char *_Nonnull path, int milliseconds);
