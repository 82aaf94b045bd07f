/* What a probe leaves open at its end without having opened it: descriptors of the library's.
 *
 * Every probe is linked with descriptors.c, by which those of its own calls go that open and close descriptors, on
 * their way to the library, or to libc. */
#pragma once

/* Takes note of a descriptor that came in another way than by these calls, and gives it back. */
int own(int fd);
