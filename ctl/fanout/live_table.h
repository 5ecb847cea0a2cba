/*
 * Shows a table for the option --watch, and updates the table every few
 * seconds, as top(1) does. One worker for each host keeps a connection open.
 */
#ifndef BRIDLE_LIVE_TABLE_H
#define BRIDLE_LIVE_TABLE_H

#include "cli/exit_status.h"
#include "cli/invocation.h"

/*
 * Show the table on the terminal until ^C or until --total-timeout expires.
 * Return the outcome of the last view.
 */
enum outcome live_table_run(const struct invocation *);

#endif
