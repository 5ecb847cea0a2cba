/*
 * Lists of hosts as text: for people, for scripts, and as other tools read
 * them. Each function appends to a buffer.
 */
#ifndef BRIDLE_HOST_FORMATS_H
#define BRIDLE_HOST_FORMATS_H

#include "buf.h"
#include "client_conf.h"
#include "hosts.h"

/* As they are named, one a line. */
void host_formats_lines(struct buf *, const struct hosts *);

/* One list, as short as it may be. */
void host_formats_folded(struct buf *, const struct hosts *);

/* An object a line that tells how each is reached. */
void host_formats_json(struct buf *, const struct hosts *);

/*
 * The groups that hold any of the hosts, one a line. 0, or -1 with a sentence
 * appended to error: one of them cannot be expanded.
 */
int host_formats_groups(struct buf *, const struct hosts *,
	const struct client_conf *, struct buf *error);

/*
 * As another tool wants them, by its name: "ansible", "nodeset" or "pdsh".
 * They have names of machines alone; what has none, being "unix:PATH", is
 * left out. Returns likewise; also if there is no such tool.
 */
int host_formats_for(struct buf *, const char *tool, const struct hosts *,
	const struct client_conf *, struct buf *error);

#endif
