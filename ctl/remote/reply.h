/*
 * The reply to a request. A reply has a table, the output of a command, and a
 * status. No I/O.
 *
 * A hostile host can have sent the reply. Therefore each line is checked before
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
	REPLY_CHUNK, /* raw bytes follow, which reply_chunk() takes */
	REPLY_DONE,  /* the line was the status line */
	REPLY_BAD    /* the line is invalid; `problem` has the reason */
};

/* The output streams of a command, with their numbers in the protocol. */
enum reply_stream { REPLY_OUTPUT = 1, REPLY_ERRORS, REPLY_STREAMS };

/*
 * A function that receives each part of a stream. The function returns false on
 * failure.
 */
typedef bool reply_sink(void *taker, enum reply_stream, const char *, size_t);

struct reply_pair {
	char *key;
	char *value;
};

/* A zeroed struct is an empty reply. */
struct reply {
	struct table table;
	bool headed; /* true if the column names were received */

	int code;   /* status code; 0 until the status line has arrived */
	char *said; /* text of the status line */
	size_t npairs;
	struct reply_pair pairs[WIRE_COLUMNS_MAX]; /* of the status line */

	bool chunked; /* true if the reply may have chunks */
	/*
	 * function that receives the output; NULL: `kept` receives the output
	 */
	reply_sink *sink;
	void *taker;                    /* first argument of `sink` */
	struct buf kept[REPLY_STREAMS]; /* the output of each stream */
	size_t chunk; /* number of bytes of the chunk that are still missing */
	enum reply_stream stream; /* stream of the chunk */

	const char *problem; /* reason why the reply is invalid, or NULL */
};

/*
 * Add one line, without its LF, to the reply. reply_line() overwrites the line.
 */
enum reply_state reply_line(struct reply *, char *line, size_t len);

/*
 * Add len bytes of a chunk, and subtract len from r->chunk. len must be at most
 * r->chunk. Return false on failure. If the sink has failed, r->problem stays
 * NULL.
 */
bool reply_chunk(struct reply *, const char *, size_t);

/*
 * True if a command has run, and a signal or an exit status other than 0 has
 * ended the command.
 */
bool reply_run_failed(const struct reply *);

/* True if the daemon has omitted output of the command. */
bool reply_truncated(const struct reply *);

/*
 * Prepare for the reply to another request of a pipeline. The rows of the new
 * reply are appended to the table. The status of the new reply replaces the old
 * status.
 */
void reply_next(struct reply *);

/* Return the value of this key in the pairs of the status line, or NULL. */
const char *reply_pair(const struct reply *, const char *key);

/*
 * Return the status code that the explained request would get. Return 0 if the
 * reply has no such code. The reply must be the reply to a request `explain`.
 */
int reply_explained(const struct reply *);

/*
 * Replace the status by a summary of several replies. If `id` is not NULL, the
 * new status has the pair "id". Returns 0, or -1 with errno set.
 */
int reply_conclude(struct reply *, int code, const char *said, const char *id);

void reply_free(struct reply *);

#endif
