/*
 * A connection to one daemon: lines out, lines in, within a deadline.
 *
 * What goes wrong is kept as a sentence in `problem`, ready to be shown
 * (though it may hold bytes that need text_safe() first).
 *
 * A TCP connection is set to end by a reset until client_close() is told
 * that all answers are in. So whatever ends the program in mid-request, be
 * it Ctrl-C or a crash, the daemon learns of it and ends the action.
 */
#ifndef BRIDLE_CLIENT_H
#define BRIDLE_CLIENT_H

#include "buf.h"
#include "targets.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_CONNECT_SECONDS 10
#define CLIENT_PROBLEM_MAX 512

struct client {
	int fd; /* -1 when closed */
	bool tcp;
	int64_t deadline; /* of clock_ms() */
	unsigned seconds; /* that the deadline gave, for the message */
	char *in;         /* received bytes are at in[start] to in[end] */
	size_t start;
	size_t end;
	struct buf out; /* not yet sent */
	bool deaf;      /* the daemon takes no more; it may have answered */
	char problem[CLIENT_PROBLEM_MAX];
};

/* Connects within so many seconds, trying each of the host's addresses. */
int client_open(struct client *, const struct target *, unsigned seconds);

/* Sets the deadline of all that follows to so many seconds from now. */
void client_time(struct client *, unsigned seconds);

/*
 * Sends, without waiting: what the daemon does not take at once goes out
 * while client_line() waits. So requests of any length can be pipelined
 * without both sides blocking on each other.
 */
void client_send(struct client *, const char *, size_t);

/*
 * The next line without its LF, valid until the next call; line[len] is
 * writable. 1, 0 at the end of the connection, or -1.
 */
int client_line(struct client *, char **line, size_t *len);

/* `complete`: every request has had its answer. */
void client_close(struct client *, bool complete);

#endif
