/*
 * The daemon's own program on this machine, which alone knows what its
 * configuration means.
 */
#ifndef BRIDLE_BRIDLED_H
#define BRIDLE_BRIDLED_H

#include "buf.h"

/* No status of bridled's: it could not be run, which has been said. */
#define BRIDLED_FAILED (-1)

/*
 * Becomes bridled, the one that was installed (or built) with this program
 * if there is such a one, with these arguments (NULL-ended). Returns only if
 * it cannot, after a message.
 */
void bridled_become(const char *const *args);

/*
 * Runs it, appends what it prints to out and err (NULL: it goes where ours
 * goes), and returns its exit status, or BRIDLED_FAILED.
 */
int bridled_run(const char *const *args, struct buf *out, struct buf *err);

#endif
