/*
 * Answers that are tables of what the parent knows. The status is the
 * caller's.
 */
#ifndef BRIDLE_TABLES_H
#define BRIDLE_TABLES_H

#include "buf.h"

struct parent;
struct settings_client;

/* Appends the columns and the records of status, who and verbs. */
void tables_status(const struct parent *, struct buf *);
void tables_who(const struct parent *, struct buf *);
void tables_verbs(const struct settings_client *, struct buf *);

#endif
