/*
 * Many hosts in few characters: "node[01-32,40]" stands for 33 names, and
 * many names fold into such a pattern. No I/O.
 *
 * Within brackets stand numbers and ranges, with a step if need be
 * ("0-10/2"), separated by commas. A first number that begins with 0 says
 * how many digits all of its range have. Several brackets multiply, the last
 * one varies fastest. Brackets that hold a colon are an IPv6 address and
 * stand for themselves.
 */
#ifndef BRIDLE_HOSTLIST_H
#define BRIDLE_HOSTLIST_H

#include "buf.h"

#include <stddef.h>

#define HOSTLIST_MAX 1000000

/* The length of the list's first word: it ends at a comma outside brackets. */
size_t hostlist_span(const char *list);

/*
 * How many names a pattern stands for; nothing is expanded for that. 0, or
 * -1 with a sentence appended to error: it is no pattern, or more than
 * HOSTLIST_MAX.
 */
int hostlist_count(const char *pattern, size_t *count, struct buf *error);

/* Whether hostlist_count() takes each word of the list; likewise. */
int hostlist_check(const char *list, struct buf *error);

/*
 * Gives each of the names to `each`, until it returns other than 0, which is
 * then returned. Otherwise as hostlist_count(), and then `each` was not
 * called. The name is good for that call only.
 */
int hostlist_expand(const char *pattern,
	int (*each)(void *arg, const char *name), void *arg, struct buf *error);

/*
 * One list that stands for the names: "node[01-32,40],web1". Duplicates are
 * dropped; what folds together stands where the first of it stood, in
 * ascending order. To be freed; NULL if memory is short.
 *
 * hostlist_expand() makes the same set of its words again, unless there was
 * a name with a comma, or with brackets that are no address.
 */
char *hostlist_fold(const char *const *names, size_t n);

#endif
