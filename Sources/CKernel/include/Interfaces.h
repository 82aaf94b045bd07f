/* The networks that this machine is in.
 *
 * In C, because of the structures of netdevice(7). */
#pragma once

#include <stdint.h>

/* The length of the prefix of the network of an interface that has this IPv4 address, which is in network byte order;
 * 32 where none has. `fd` is any socket. */
int interface_network_length(int fd, uint32_t address);
