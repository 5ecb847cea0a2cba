/*
 * A command's arguments, as far as they can be judged before it is asked for.
 * Pure.
 */
#ifndef BRIDLE_RUN_ARGS_H
#define BRIDLE_RUN_ARGS_H

#include "buf.h"
#include "request.h"

/*
 * Those of a NULL-ended list go into the request, which points to them. 0, or
 * -1 with a sentence appended to error.
 */
int run_args_take(struct request *, char *const *args, struct buf *error);

#endif
