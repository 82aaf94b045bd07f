/* Standard error, where the library writes what it was not asked to.
 *
 * In C, because what the process began with has to be known before the program can change it. */
#pragma once

/* Remembers the file of descriptor 2, once. */
void standard_error_capture(void);

/* Whether descriptor 2 still stands for that, and for no connection of a network: a program that has closed its
 * standard error uses the number for data, and one that a super-server has started sends by it. */
int standard_error_is_for_people(void);
