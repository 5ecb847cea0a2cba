/*
 * The hosts that a call is for, in the order in which they were named.
 */
#ifndef BRIDLE_HOSTS_H
#define BRIDLE_HOSTS_H

#include "buf.h"
#include "targets.h"

#include <stddef.h>

struct options;

struct host {
	char *label; /* how output names it; owned */
	struct target target;
	char *identity;    /* the configuration's, for -i; NULL; owned */
	char *fingerprint; /* likewise, for --fingerprint */
};

struct hosts {
	size_t n;
	struct host *v;
};

/*
 * Those that -H names, or the local daemon: at least one. 0, or -1 with a
 * sentence appended to error. Free with hosts_free() in either case.
 */
int hosts_select(struct hosts *, const struct options *, struct buf *error);

void hosts_free(struct hosts *);

#endif
