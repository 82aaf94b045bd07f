/* The names that a resolver tries for a given one (resolv.conf(5), `search`, `domain`, `options`), as libc has read the
 * file for the calling thread.
 *
 * In C, because it uses libc's structure (resolver(3)). */
#pragma once

#include <stddef.h>

enum { NAME_SEARCH_SIZE = 256 };

struct name_search {
    char name[NAME_SEARCH_SIZE];
    /* The domains to append, each with its closing zero, their offsets and their number. */
    char text[NAME_SEARCH_SIZE];
    unsigned char domains[6];
    int count;
    /* Whether the name itself is tried first, and whether it is tried last. */
    int comes_first, comes_last;
    int next;
};

/* Begins with a name of `length` bytes; for one that is too long there are no candidates. */
void name_search_begin(struct name_search *_Nonnull search, const char *_Nonnull name, size_t length);
/* Writes the next candidate; 0 if there are no more. */
int name_search_next(struct name_search *_Nonnull search, char candidate[_Nonnull NAME_SEARCH_SIZE]);
