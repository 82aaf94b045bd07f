/* What the program asked of its epolls about descriptors that are not pending, so that it is known when one of them
 * begins to connect.
 *
 * In C, because programs register before there is anything of Swift to ask, and often. Like the marks these are hints:
 * the kernel is asked before one is believed. */
#pragma once

#include <stdint.h>

struct watched_registration {
    int epoll;
    uint32_t events;
    uint64_t data;
};

/* Epolls that are remembered for one descriptor. */
enum { WATCHED_EPOLLS = 3 };

/* EPOLL_CTL_ADD or EPOLL_CTL_MOD has succeeded. */
void watched_note(int fd, int epoll, uint32_t events, uint64_t data);
/* EPOLL_CTL_DEL has succeeded. */
void watched_forget(int fd, int epoll);
/* The descriptor ends. */
void watched_forget_all(int fd);

/* Whether the epoll, by whichever number, is known to watch the descriptor; `found` is filled in then. -1 when not all
 * is known of that. */
int watched_by(int fd, int epoll, struct watched_registration *_Nonnull found);

/* Fills in the known registrations of the descriptor, and returns their number; -1 if some may be missing. */
int watched_registrations(int fd, struct watched_registration found[_Nonnull WATCHED_EPOLLS]);
