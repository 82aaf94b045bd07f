/* The slots of descriptors' relayed sockets, cached to avoid a system call for each datagram.
 *
 * An entry is valid for one tick of the coarse clock. It can be wrong only if a descriptor ended unseen and another
 * socket got its number within that time; its datagrams then go to the proxy, which drops them.
 *
 * In C, because its storage exists from the start. */
#pragma once

#include <stdint.h>

/* The time in ticks of about four milliseconds, by the cheap coarse clock. Never 0. */
uint32_t descriptor_tick(void);

/* The slot found for the descriptor in this tick; -1 if none was. */
int descriptor_slot(int fd, uint32_t tick);
void descriptor_note_slot(int fd, int slot, uint32_t tick);
void descriptor_forget_slot(int fd);

/* The slot of the relayed socket whose control connection is, or was, this descriptor; -1 if unknown. */
int descriptor_control_slot(int fd);
void descriptor_note_control_slot(int fd, int slot);
