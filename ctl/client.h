/*
 * A connection to one daemon: lines out, lines in, within a deadline.
 *
 * What goes wrong is kept as a sentence in `problem`, ready to be shown
 * (though it may hold bytes that need text_safe() first); further lines of it
 * say what to do.
 *
 * A TCP connection is set to end by a reset until client_close() is told
 * that all answers are in. So whatever ends the program in mid-request, be
 * it Ctrl-C or a crash, the daemon learns of it and ends the action.
 */
#ifndef BRIDLE_CLIENT_H
#define BRIDLE_CLIENT_H

#include "buf.h"
#include "stream.h"
#include "targets.h"
#include "tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_CONNECT_SECONDS 10

struct client {
	int fd;     /* -1 when closed */
	bool tried; /* the host was asked for a connection */
	enum target_kind kind;
	struct tls *tls; /* with TLS alone */
	struct stream stream;
	char peer[TLS_FINGERPRINT_SIZE]; /* with TLS: of the host's key */
	int64_t deadline;                /* of clock_ms() */
	unsigned seconds; /* that the deadline gave, for the message */
	char *in;         /* received bytes are at in[start] to in[end] */
	size_t start;
	size_t end;
	struct buf out; /* not yet sent */
	bool ending;    /* nothing more will be */
	int input;      /* client_feed(): read from there; -1: from nowhere */
	bool deaf;      /* the daemon takes no more; it may have answered */
	struct buf problem;
};

/* Must come first; client_close() makes such a one of any other. */
void client_init(struct client *);

/*
 * Connects within so many seconds, trying each of the host's addresses. With
 * TLS the context's key is shown, and the caller must judge `peer` before he
 * sends anything; else the context may be NULL.
 */
int client_open(struct client *, const struct target *, struct tls_context *,
	unsigned seconds);

/* The same until that time of clock_ms(), which bounds what follows, too. */
int client_open_by(struct client *, const struct target *, struct tls_context *,
	int64_t deadline);

/* Whether there is no time left: what failed has taken too long. */
bool client_late(const struct client *);

/* Sets the deadline of all that follows: so many seconds from now, or then. */
void client_time(struct client *, unsigned seconds);
void client_time_from(struct client *, int64_t begin, unsigned seconds);

/* Sets it to that time of clock_ms(), for one who goes on when it is late. */
void client_until(struct client *, int64_t deadline);

/* Whether client_line() has one without waiting. */
bool client_has_line(const struct client *);

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

/*
 * At most max bytes of what follows, likewise; *len how many there are. 1, 0 at
 * the end of the connection, or -1.
 */
int client_bytes(struct client *, size_t max, char **data, size_t *len);

/* Nothing more will be sent: the daemon sees that, and answers still. */
void client_end(struct client *);

/*
 * From now on what can be read there goes out as a command's input, while
 * client_line() and client_bytes() wait. The descriptor stays the caller's.
 */
void client_feed(struct client *, int fd);

/* `complete`: every request has had its answer. Forgets the problem, too. */
void client_close(struct client *, bool complete);

#endif
