/*
 * Functions that write the parent's state as tables for replies. The caller
 * appends the status line.
 */
#ifndef BRIDLE_STATUS_TABLES_H
#define BRIDLE_STATUS_TABLES_H

#include "buf.h"

struct parent;
struct settings;
struct settings_client;
struct verdict;

/*
 * Append the columns and the records of the verbs `status`, `who` and `verbs`.
 */
void status_table_status(const struct parent *, struct buf *);
void status_table_who(const struct parent *, struct buf *);
void status_table_verbs(
	const struct settings *, const struct settings_client *, struct buf *);

/*
 * Append the columns and the record of a reply to `explain`, which shows the
 * verdict of the policy.
 */
void status_table_explain(const struct verdict *, struct buf *);

#endif
