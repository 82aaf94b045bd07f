/* Sockets of a process that a program between it and its ancestors has been kept from the network (NetworkFilter.h). */
#pragma once

/* socket(2), with the key of the tree where it takes one. A negative error number on failure. */
long keyed_socket(int domain, int type, int protocol);
