/*
 * An answer: its table, kept as it came, and its status. No I/O.
 *
 * The lines come from a machine that may be hostile. Each is checked before
 * it is kept: whatever reply_cell() and the rest give out decodes, and all
 * rows have as many cells as there are columns.
 */
#ifndef BRIDLE_REPLY_H
#define BRIDLE_REPLY_H

#include "buf.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLY_SIZE_MAX (256u * 1024 * 1024) /* bytes of memory for a table */
#define REPLY_NAME_MAX 64                   /* of a column or a key */

enum reply_state {
	REPLY_MORE,  /* the answer goes on */
	REPLY_CHUNK, /* so many raw bytes follow: reply_chunk() takes them */
	REPLY_DONE,  /* that was its status line */
	REPLY_BAD    /* not an answer; `problem` says why */
};

struct reply_cell {
	uint32_t start; /* in `text` */
	uint32_t len;
};

/* What a command has written, apart: the streams of its chunks. */
enum reply_stream { REPLY_OUTPUT = 1, REPLY_ERRORS, REPLY_STREAMS };

/* Takes bytes of one as they come. False if it cannot. */
typedef bool reply_sink(void *taker, enum reply_stream, const char *, size_t);

struct reply_pair {
	char *key;
	char *value;
};

/* A zeroed struct is an answer that has not begun. */
struct reply {
	size_t max_size; /* bytes of memory for the table; 0: REPLY_SIZE_MAX */
	size_t ncolumns;
	char *columns[WIRE_COLUMNS_MAX];
	size_t nrows;
	size_t max_rows;          /* that `cells` has room for */
	struct reply_cell *cells; /* nrows times ncolumns */
	struct buf text;          /* the cells, still encoded */
	bool headed;              /* this answer's column names have come */

	int code;   /* of the status; 0 while there is none */
	char *said; /* its text */
	size_t npairs;
	struct reply_pair pairs[WIRE_COLUMNS_MAX];

	bool chunked;     /* it may have chunks */
	reply_sink *sink; /* takes what they hold; NULL: it is kept here */
	void *taker;
	struct buf kept[REPLY_STREAMS]; /* by enum reply_stream */
	size_t chunk;                   /* bytes of the present one to come */
	enum reply_stream stream;       /* of the present one */

	const char *problem;
};

/* Takes one line, without its LF; it is taken apart in place. */
enum reply_state reply_line(struct reply *, char *line, size_t len);

/*
 * Takes bytes of the chunk that REPLY_CHUNK has begun, at most r->chunk of
 * them, which it counts down. False with r->problem, or where the sink fails
 * without.
 */
bool reply_chunk(struct reply *, const char *, size_t);

/* Whether it is the answer of a command that has not ended well. */
bool reply_run_failed(const struct reply *);

/*
 * Makes ready for the answer to the next request of a pipeline: its rows
 * will follow those that are there, its status replaces the present one.
 */
void reply_next(struct reply *);

/* Keeps only so many of the rows, the first ones. */
void reply_truncate(struct reply *, size_t nrows);

/* The column's index, or -1. */
int reply_column(const struct reply *, const char *name);

/* A cell as it came, still encoded; not NUL-terminated. */
const char *reply_cell(
	const struct reply *, size_t row, size_t column, size_t *len);

/* Decodes a cell into a buffer (reset first) and returns it as a string. */
const char *reply_text(
	const struct reply *, size_t row, size_t column, struct buf *);

/* The value of a pair of the status line, or NULL. */
const char *reply_pair(const struct reply *, const char *key);

/*
 * Of the answer to an explain: the code that the request itself would have
 * had; 0 if it does not tell.
 */
int reply_explained(const struct reply *);

/*
 * Replaces the status by one that stands for several answers. The id may be
 * NULL. 0, or -1 with errno.
 */
int reply_conclude(struct reply *, int code, const char *said, const char *id);

void reply_free(struct reply *);

#endif
