/*
 * A number of hosts or a percentage of all hosts, for --batch and
 * --max-failures. No I/O.
 */
#ifndef BRIDLE_HOST_SHARE_H
#define BRIDLE_HOST_SHARE_H

#include <stddef.h>

/* A number or a percentage of hosts. A zeroed struct means 0 hosts. */
struct host_share {
	size_t number;
	size_t percent; /* percentage of all hosts; 0: use `number` */
	size_t least;   /* smallest allowed number: 0 or 1 */
};

/*
 * Parse "N" or "N%". N must be at least `least`, which is 0 or 1. Returns 0, or
 * -1 if the text is invalid.
 */
int host_share_parse(const char *, size_t least, struct host_share *);

/*
 * Return the number of hosts that the share means if there are `total` hosts.
 * If `least` is 1, round a percentage up. Otherwise round the percentage down.
 */
size_t host_share_count(const struct host_share *, size_t total);

#endif
