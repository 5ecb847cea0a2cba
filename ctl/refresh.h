/*
 * --watch: a table that is shown anew every few seconds, as top(1) does. Each
 * host is asked by a worker that keeps its connection.
 */
#ifndef BRIDLE_REFRESH_H
#define BRIDLE_REFRESH_H

#include "command.h"
#include "invocation.h"

/* On a terminal, until ^C. What the last view came to. */
enum outcome refresh_run(struct invocation *);

#endif
