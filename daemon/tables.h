/*
 * Answers that are tables of what the parent knows. The status is the
 * caller's.
 */
#ifndef BRIDLE_TABLES_H
#define BRIDLE_TABLES_H

#include "buf.h"

struct parent;
struct settings;
struct settings_client;
struct verdict;

/* Appends the columns and the records of status, who and verbs. */
void tables_status(const struct parent *, struct buf *);
void tables_who(const struct parent *, struct buf *);
void tables_verbs(
	const struct settings *, const struct settings_client *, struct buf *);

/* The same of explain: what the policy says of a request. */
void tables_explain(const struct verdict *, struct buf *);

#endif
