/*
 * The reply to a request: a table, the output of a command, and a status. No
 * I/O.
 *
 * The reply may come from a hostile host. Therefore each line is checked before
 * its content is stored.
 */
#ifndef BRIDLE_REPLY_H
#define BRIDLE_REPLY_H

#include "buf.h"
#include "util/table.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>

#define REPLY_KEY_MAX 64 /* maximum length of a pair's key in bytes */

enum reply_state {
	REPLY_MORE,  /* more lines follow */
	REPLY_CHUNK, /* raw bytes follow: reply_chunk() takes them */
	REPLY_DONE,  /* the line was the status line */
	REPLY_BAD    /* the line is invalid; `problem` says why */
};

/* The output streams of a command, with their numbers in the protocol. */
enum reply_stream { REPLY_OUTPUT = 1, REPLY_ERRORS, REPLY_STREAMS };

/*
 * A function that receives each part of a stream, and returns false if it
 * fails.
 */
typedef bool reply_sink(void *taker, enum reply_stream, const char *, size_t);

struct reply_pair {
	char *key;
	char *value;
};

/* A zeroed struct is an empty reply. */
struct reply {
	struct table table;
	bool headed; /* the column names were received */

	int code;   /* status code; 0 before the status line */
	char *said; /* text of the status line */
	size_t npairs;
	struct reply_pair pairs[WIRE_COLUMNS_MAX]; /* of the status line */

	bool chunked;     /* the reply may have chunks */
	reply_sink *sink; /* receives the output; NULL: use `kept` */
	void *taker;      /* first argument of `sink` */
	struct buf kept[REPLY_STREAMS]; /* the output of each stream */
	size_t chunk; /* bytes of the chunk that are still missing */
	enum reply_stream stream; /* stream of the chunk */

	const char *problem; /* why the reply is invalid, or NULL */
};

/*
 * Add one line, without its LF, to the reply. reply_line() overwrites the line.
 */
enum reply_state reply_line(struct reply *, char *line, size_t len);

/*
 * Add len bytes of a chunk, at most r->chunk, and subtract len from r->chunk.
 * Return false on failure. If the sink has failed, r->problem stays NULL.
 */
bool reply_chunk(struct reply *, const char *, size_t);

/*
 * True if a command ran, and ended by a signal or with an exit status that is
 * not 0.
 */
bool reply_run_failed(const struct reply *);

/* True if the daemon has omitted output of the command. */
bool reply_truncated(const struct reply *);

/*
 * Prepare for the reply to another request of a pipeline. The rows of the new
 * reply are appended to the table. The status of the new reply replaces the
 * present status.
 */
void reply_next(struct reply *);

/* Return the value that the status line has for this key, or NULL. */
const char *reply_pair(const struct reply *, const char *key);

/*
 * Return the status code that the explained request would get, or 0 if the
 * reply has no such code. The reply must be the reply to an `explain`.
 */
int reply_explained(const struct reply *);

/*
 * Replace the status by a summary of several replies. If `id` is not NULL, the
 * new status has the pair "id". Returns 0, or -1 with errno set.
 */
int reply_conclude(struct reply *, int code, const char *said, const char *id);

void reply_free(struct reply *);

#endif
