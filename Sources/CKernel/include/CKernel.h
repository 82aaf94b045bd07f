/* The kernel, with the types and constants that its calls take. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "Interfaces.h"
#include "Kernel.h"
#include "MappedOnce.h"
