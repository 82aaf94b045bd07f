/* Whether a file is to be had within a time.
 *
 * open(2) and read(2) of a file whose server is gone (NFS, FUSE) wait for it, as long as it takes, and no signal ends
 * that but SIGKILL, which does not always. So a child waits in the caller's place, which shares its memory, and is
 * ended when the time is over; as long as one lives, no other is made. None is needed for a file of this machine that
 * the kernel finds without asking anybody.
 *
 * In C, because clone(2) is called. */
#pragma once

/* Returns 0 when the file has not answered within so many milliseconds, by its first byte or an error. Where no child
 * can be made, and where a filter of system calls is in force, it is taken to answer. */
int file_answers(const char *_Nonnull path, int milliseconds);
