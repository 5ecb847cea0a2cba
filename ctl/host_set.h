/*
 * Hosts as a set: none twice, and without some. No I/O.
 */
#ifndef BRIDLE_HOST_SET_H
#define BRIDLE_HOST_SET_H

#include "hosts.h"

/*
 * Drops each that is reached in the same way as one before it. 0, or -1 if
 * memory is short.
 */
int host_set_unique(struct hosts *);

/*
 * Drops each that is also in `without`: under the same label, or reached in
 * the same way. One that is named there without a port goes with any port,
 * since who leaves a machine out means the machine. Returns likewise.
 */
int host_set_exclude(struct hosts *, const struct hosts *without);

#endif
