/*
 * Copies the output of a command on a host to bridlectl's stdout and stderr. On
 * a terminal, unsafe characters are escaped.
 */
#ifndef BRIDLE_COMMAND_OUTPUT_H
#define BRIDLE_COMMAND_OUTPUT_H

#include "remote/reply.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The state of one output stream. Before use, the caller must zero the struct
 * and set `fd`.
 */
struct command_output {
	int fd;
	struct buf begun; /* bytes of an incomplete UTF-8 character */
};

/* The two streams of a command, indexed by enum reply_stream. */
struct command_outputs {
	struct command_output v[REPLY_STREAMS];
	bool lost; /* true if some output could not be written */
};

void command_outputs_init(struct command_outputs *);

/*
 * Write `data` to the descriptor of the stream. If the descriptor is a
 * terminal, keep the bytes of an incomplete UTF-8 character for the next call.
 * Return false if any output could not be written. The function is a
 * reply_sink.
 */
bool command_outputs_take(
	void *, enum reply_stream, const char *data, size_t len);

/*
 * Write the incomplete characters that command_outputs_take() has kept, and
 * free the buffers. Return 0, or -1 if any output of the command could not be
 * written. write_out() has printed a message about each such failure.
 */
int command_outputs_end(struct command_outputs *);

/*
 * Write the kept output of both streams line by line. If `label` is not NULL,
 * write "LABEL: " before each line. Return 0, or -1 if the output could not be
 * written.
 */
int command_output_lines(const struct reply *, const char *label);

#endif
