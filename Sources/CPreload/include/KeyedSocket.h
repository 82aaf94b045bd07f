/* Sockets under the network filter that a program without the library left to its descendants (NetworkFilter.h). */
#pragma once

/* socket(2), with the process tree's key if it is needed. A negative error number on failure. */
long keyed_socket(int domain, int type, int protocol);
