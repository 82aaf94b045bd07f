/* The program's epoll registrations of descriptors that are not pending. They are needed when one of these begins to
 * connect.
 *
 * In C, because programs register often, and before any Swift code runs. Like the marks these are hints, which are
 * checked with the kernel before use. */
#pragma once

#include <stdint.h>

struct watched_registration {
    int epoll;
    uint32_t events;
    uint64_t data;
};

/* The most epolls that are recorded for one descriptor. */
enum { WATCHED_EPOLLS = 3 };

/* EPOLL_CTL_ADD or EPOLL_CTL_MOD has succeeded. */
void watched_note(int fd, int epoll, uint32_t events, uint64_t data);
/* EPOLL_CTL_DEL has succeeded. */
void watched_forget(int fd, int epoll);
/* The descriptor ends. */
void watched_forget_all(int fd);

/* Whether the epoll, under any descriptor of its own, is known to watch the descriptor; fills in `found` then. -1 if
 * records may be missing or contradict each other. */
int watched_by(int fd, int epoll, struct watched_registration *_Nonnull found);

/* Fills in the known registrations of the descriptor, and returns their number; -1 if some may be missing. */
int watched_registrations(int fd, struct watched_registration found[_Nonnull WATCHED_EPOLLS]);
