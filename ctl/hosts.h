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
	size_t room; /* in v */
	struct host *v;
};

/*
 * Those that -H and --hosts-file name, but for those of --exclude; or the
 * local daemon. At least one; none twice. 0, or -1 with a sentence appended
 * to error. Free with hosts_free() in either case.
 */
int hosts_select(struct hosts *, const struct options *, struct buf *error);

/*
 * Appends the host of one name, or those of a list as -H takes it. 0, or -1
 * with a sentence; what was appended stays.
 */
int hosts_add(struct hosts *, const char *name, struct buf *error);
int hosts_add_list(struct hosts *, const char *list, struct buf *error);

/*
 * Appends the name of a host alone: without a prefix, port and brackets.
 * For a TARGET_UNIX it is the whole label.
 */
void hosts_name(const struct host *, struct buf *);

/* Frees what one host holds, or all of them and the list. */
void hosts_clear(struct host *);
void hosts_free(struct hosts *);

#endif
