/* The networks of this machine.
 *
 * In C, because of the structures of netdevice(7). */
#pragma once

#include <stdint.h>

/* The prefix length of the interface with this IPv4 address (in network byte order); 32 if there is none. `fd` is any
 * socket. */
int kernel_network_length(int fd, uint32_t address);
