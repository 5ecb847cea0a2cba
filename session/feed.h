/*
 * Standard input for a command: from the client's chunks to a pipe. The bytes
 * of a chunk are never anything else, whether or not somebody reads them.
 */
#ifndef BRIDLE_FEED_H
#define BRIDLE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct feed {
	int pipe;      /* -1: nobody reads it, or not any more */
	bool due;      /* there may be more chunks of it */
	bool begun;    /* there was one */
	bool full;     /* the pipe takes no more now */
	size_t chunk;  /* bytes of the present chunk that are still to come */
	uint64_t left; /* bytes that the command may have */
	int cut;       /* 0, or why it will not be whole: an enum wire_code */
};

/* A zeroed struct is one that is not due. Takes over the descriptor. */
void feed_open(struct feed *, int pipe, uint64_t most);

/*
 * Passes on what stands at `in`, as far as the pipe takes it. Returns how much
 * was used up; what is then left is no input, or has to wait. `eof`: nothing
 * follows. After a cut all chunks are used up, and the pipe stays open, lest
 * the command take for the whole what is none.
 */
size_t feed_take(struct feed *, const char *in, size_t len, bool eof);

/* The client is gone: what has come is not the whole, unless it was ended. */
void feed_lose(struct feed *);

/* The command has ended: it reads no more. */
void feed_close(struct feed *);

#endif
