/*
 * The hosts that one may mean, for completion: those of bridlectl.conf and
 * of known_hosts. A file with a mistake offers nothing, and nothing is said.
 */
#ifndef BRIDLE_HOST_WORDS_H
#define BRIDLE_HOST_WORDS_H

#include "candidates.h"

#include <stdbool.h>

struct hosts;

/* Those that are reached by TLS, as `trust` takes them. */
void host_words_names(struct candidates *);

/*
 * What may stand in a list of hosts: names, groups, and how the others
 * begin. What comes before its last comma stays.
 */
void host_words_list(struct candidates *);

/*
 * The one host that a list names, or that is meant without a list (NULL):
 * false if they are several, or nobody can tell. Free with hosts_free() in
 * either case.
 */
bool host_words_only(struct hosts *, const char *list);

#endif
