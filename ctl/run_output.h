/*
 * What a command on a host has written: on this side's stdout and stderr, as
 * it is, or in a form that is safe to show where a terminal reads it.
 */
#ifndef BRIDLE_RUN_OUTPUT_H
#define BRIDLE_RUN_OUTPUT_H

#include "reply.h"

#include <stdbool.h>
#include <stddef.h>

/* One stream on its way to a descriptor; a zeroed struct but for the fd. */
struct run_output {
	int fd;
	struct buf begun; /* of a character whose end has not come yet */
};

/* Both of a command's, by enum reply_stream. */
struct run_outputs {
	struct run_output v[REPLY_STREAMS];
};

void run_outputs_init(struct run_outputs *);

/* A reply_sink: writes at once. */
bool run_outputs_take(void *, enum reply_stream, const char *data, size_t len);

/* Writes what is left, and frees it. 0, or -1 after a message. */
int run_outputs_end(struct run_outputs *);

/*
 * What was kept of both streams, line by line with "LABEL: " before each; NULL:
 * without. 0, or -1 after a message.
 */
int run_output_lines(const struct reply *, const char *label);

#endif
