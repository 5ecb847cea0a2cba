/*
 * The relay of standard input from the client's chunks to the pipe of a
 * command. The bytes of a chunk are never parsed as a request, even if the
 * command does not read these bytes.
 */
#ifndef BRIDLE_STDIN_RELAY_H
#define BRIDLE_STDIN_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stdin_relay {
	int pipe; /* pipe to the command; -1 if the command does not read */
	bool more_chunks; /* more chunks may follow */
	bool begun;       /* the first chunk has arrived */
	bool full;        /* the pipe has no room now */
	/* number of bytes of the current chunk that are not passed on yet */
	size_t chunk;
	uint64_t left; /* number of bytes that the command can still get */
	int cut; /* reason why the input is incomplete (enum wire_code), or 0 */
};

/*
 * Expect input for a command. Take ownership of the descriptor `pipe`. `most`
 * is the maximum number of bytes of input. A zeroed struct expects no input.
 */
void stdin_relay_open(struct stdin_relay *, int pipe, uint64_t most);

/*
 * Write the chunks at `in` to the pipe, as far as the pipe has room. `eof` is
 * true if the client sends no more. Return the number of bytes that were used.
 * The other bytes are a request, or must be passed again later. After an error
 * in the input, `cut` is set, chunks are dropped, and the pipe stays open. A
 * closed pipe would make incomplete input look complete to the command.
 */
size_t stdin_relay_take(
	struct stdin_relay *, const char *in, size_t len, bool eof);

/*
 * Mark the input as incomplete, unless the end of the input has arrived. Call
 * this function when the client is gone.
 */
void stdin_relay_lose(struct stdin_relay *);

/* Close the pipe. Call this function when the command has ended. */
void stdin_relay_close(struct stdin_relay *);

#endif
