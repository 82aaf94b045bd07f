/* Where what is known of a descriptor's relayed socket lies, so that the kernel need not be asked for each datagram.
 *
 * It is believed for one tick of the coarse clock: a descriptor that ended unseen, and whose number another socket has
 * within that time, is all that can be mistaken, and what is sent then goes to the proxy, which drops it.
 *
 * In C, for its storage, which exists from the start. */
#pragma once

#include <stdint.h>

/* The time in ticks of some four milliseconds, by the clock that costs next to nothing. Never 0. */
uint32_t descriptor_tick(void);

/* The slot that was found for the descriptor in this tick; -1 when none was. */
int descriptor_slot(int fd, uint32_t tick);
void descriptor_note_slot(int fd, int slot, uint32_t tick);
void descriptor_forget_slot(int fd);

/* The slot of the socket whose association has the descriptor for its connection, or had; -1 when none is known. */
int descriptor_control_slot(int fd);
void descriptor_note_control_slot(int fd, int slot);
