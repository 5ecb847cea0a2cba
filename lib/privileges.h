/*
 * Functions with which a process gives up privileges. The process cannot get
 * these privileges back.
 */
#ifndef BRIDLE_PRIVILEGES_H
#define BRIDLE_PRIVILEGES_H

#include <stdint.h>

/*
 * Drop all capabilities except the given capabilities, which the process must
 * hold. Bit N of `capabilities` stands for the capability with the number N.
 * Return 0, or -1 with errno.
 */
int privileges_keep(uint32_t capabilities);

/*
 * Forbid core dumps of this process, and forbid other processes to trace this
 * process. Return 0, or -1 with errno.
 */
int privileges_forbid_tracing(void);

#endif
