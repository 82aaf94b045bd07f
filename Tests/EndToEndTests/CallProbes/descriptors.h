/* Finds the library's descriptors that are open at the end of a probe.
 *
 * Every probe is linked with descriptors.c, which wraps the probe's own calls that open and close descriptors, in
 * front of the library and libc. */
#pragma once

/* Records a descriptor that came by another call, and returns it. */
int own(int fd);
