/*
 * The hosts that a call is for, in the order in which they were named.
 */
#ifndef BRIDLE_HOSTS_H
#define BRIDLE_HOSTS_H

#include "buf.h"
#include "targets.h"

#include <stdbool.h>
#include <stddef.h>

struct client_conf;
struct options;

struct host {
	char *label; /* how output names it; owned */
	struct target target;
	char *identity;    /* the configuration's, for -i; NULL; owned */
	char *fingerprint; /* likewise, for --fingerprint */
	unsigned timeout;  /* likewise, for --timeout; 0: not said */
};

struct hosts {
	size_t n;
	size_t room; /* in v */
	struct host *v;
};

/* Whether these options may name what stands in bridlectl.conf. */
bool hosts_need_conf(const struct options *);

/*
 * Appends those that -H and --hosts-file name, but for those of --exclude;
 * or, if they name none, the configuration's default or the local daemon. At
 * least one; none twice. 0, or -1 with a sentence appended to error. Free
 * with hosts_free() in either case.
 */
int hosts_select(struct hosts *, const struct client_conf *,
	const struct options *, struct buf *error);

/*
 * Appends the name of a host alone: without a prefix, port and brackets.
 * Of "unix:PATH" it is all.
 */
void hosts_name(const struct host *, struct buf *);

/* Frees what one host holds, or all of them and the list. */
void hosts_clear(struct host *);
void hosts_free(struct hosts *);

#endif
