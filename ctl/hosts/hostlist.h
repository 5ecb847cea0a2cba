/*
 * Expands patterns to names of hosts. For example, "node[01-32,40]" stands for
 * 33 names. hostlist_fold() finds patterns for given names. No I/O.
 *
 * Brackets contain numbers and ranges, separated by commas. A range may have a
 * step ("0-10/2"). If the first number of a range has leading zeros, smaller
 * numbers also get leading zeros. A pattern with several brackets stands for
 * all combinations, and the last bracket varies fastest. Brackets that contain
 * a colon enclose an IPv6 address and are not expanded.
 */
#ifndef BRIDLE_HOSTLIST_H
#define BRIDLE_HOSTLIST_H

#include "buf.h"

#include <stddef.h>

#define HOSTLIST_MAX 1000000 /* maximum number of hosts in a list */

/*
 * Return the length of the list's first word, which ends at a comma outside
 * brackets.
 */
size_t hostlist_span(const char *list);

/*
 * Call the function `each` with each word of the list. Stop when a call does
 * not return 0. Return the result of the last call. If memory cannot be
 * allocated, return -1 with a sentence appended to error.
 */
int hostlist_words(const char *list, int (*each)(void *arg, const char *word),
	void *arg, struct buf *error);

/*
 * Set *count to the number of names that a pattern stands for. Return 0 on
 * success. If the pattern is invalid or has more than HOSTLIST_MAX names,
 * return -1 with a sentence appended to error.
 */
int hostlist_count(const char *pattern, size_t *count, struct buf *error);

/*
 * Check each word of a list. Returns 0, or -1 with a sentence appended to error
 * if hostlist_count() would refuse a word.
 */
int hostlist_check(const char *list, struct buf *error);

/*
 * Call the function `each` with each name of a pattern. Stop when a call does
 * not return 0. Return the result of the last call. The name is valid during
 * the call only. If the pattern is invalid, call nothing and return -1 with a
 * sentence appended to error.
 */
int hostlist_expand(const char *pattern,
	int (*each)(void *arg, const char *name), void *arg, struct buf *error);

/*
 * Return a list that stands for these n names, such as "node[01-32,40],web1".
 * Return NULL if memory cannot be allocated. The caller frees the list.
 *
 * Duplicate names are removed. A pattern stands at the position of its first
 * name, and its numbers are in ascending order. hostlist_expand() expands the
 * words of the list to the same set of names. There are two exceptions: names
 * with a comma, and names with brackets that enclose no address.
 */
char *hostlist_fold(const char *const *names, size_t n);

#endif
