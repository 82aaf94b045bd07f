/* Standard error, where the library writes by default.
 *
 * In C, because the initial state must be recorded before the program can change it. */
#pragma once

/* Remembers the file of descriptor 2, once. */
void standard_error_capture(void);

/* Whether descriptor 2 still is that file, and not a network connection: a program that closed its standard error may
 * use the number for data, and under a super-server descriptor 2 is the client's connection. */
int standard_error_is_for_people(void);
