/* The names that a resolver looks up for the one that it is given (resolv.conf(5), `search`, `domain`, `options`), as
 * libc has read them for the calling thread.
 *
 * In C, because of libc's structure of them (resolver(3)). */
#pragma once

#include <stddef.h>

enum { NAME_SEARCH_SIZE = 256 };

struct name_search {
    char name[NAME_SEARCH_SIZE];
    /* Those that are put behind the name, each with its closing zero, where they begin, and how many there are. */
    char text[NAME_SEARCH_SIZE];
    unsigned char domains[6];
    int count;
    /* Whether the name itself comes before all others, and whether it comes behind them. */
    int comes_first, comes_last;
    int next;
};

/* Begins with a name of `length` bytes; one that is too long is none. */
void name_search_begin(struct name_search *_Nonnull search, const char *_Nonnull name, size_t length);
/* Gives the next one; 0 when there are no more. */
int name_search_next(struct name_search *_Nonnull search, char candidate[_Nonnull NAME_SEARCH_SIZE]);
