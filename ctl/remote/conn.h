/*
 * A connection to one daemon, with a deadline.
 *
 * A function that fails appends a sentence to `problem`. Further lines of
 * `problem` say what the user can do. `problem` may contain unsafe bytes.
 * Therefore print the text with text_safe().
 *
 * If bridlectl ends during a request, by ^C or by a crash, the daemon must end
 * the action. Therefore the kernel sends a reset when a TCP connection is
 * closed. After a reset, the daemon ends the action. If all replies are
 * complete, conn_close() closes the connection without a reset.
 */
#ifndef BRIDLE_CONN_H
#define BRIDLE_CONN_H

#include "buf.h"
#include "hosts/target.h"
#include "stream.h"
#include "tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONN_CONNECT_SECONDS 10 /* default time limit for connecting */

struct conn {
	int fd;       /* the socket; -1 when closed */
	bool tried;   /* true if the host was contacted */
	bool sent;    /* true if a request was sent, completely or in part */
	bool refused; /* true if a busy daemon has refused without TLS */
	enum target_kind kind;
	struct tls *tls; /* the TLS connection; NULL without TLS */
	struct stream stream;
	/* fingerprint of the host's key; only with TLS */
	char peer[TLS_FINGERPRINT_SIZE];
	bool received; /* true if a byte was received */
	/*
	 * time, as clock_ms(), at which bridlectl next checks that the local
	 * daemon can start
	 */
	int64_t start_check;
	int64_t deadline; /* end of the time limit, as clock_ms() */
	unsigned seconds; /* the time limit in seconds, for messages */
	char *in; /* received bytes; the unread bytes begin at `start` */
	size_t start;
	size_t end;     /* end of the unread bytes in `in` */
	struct buf out; /* bytes to send */
	bool ending;    /* true: close the sending side when `out` is empty */
	int input;      /* the descriptor of conn_feed(); -1: none */
	bool deaf;      /* true: send nothing more, but read the reply */
	struct buf problem;
};

/*
 * Initialise a connection. After conn_close(), a connection is initialised
 * again.
 */
void conn_init(struct conn *);

/*
 * Connect to one of the target's addresses. `deadline` is a time of clock_ms(),
 * and also limits all later calls. With TLS, the host receives the key of the
 * context. The caller must check `peer` before sending anything. Without TLS,
 * the context may be NULL. Returns 0, or -1 with a sentence in `problem`.
 */
int conn_open(struct conn *, const struct target *, struct tls_context *,
	int64_t deadline);

/*
 * Prepare conn_line() to return the refusal of the daemon. Call this function
 * only if conn_open() has failed and has set `refused`. Later calls send
 * nothing, because the connection is not encrypted.
 */
void conn_take_refusal(struct conn *);

/* True if the deadline has passed. */
bool conn_late(const struct conn *);

/*
 * Give all later calls the deadline begin + seconds. `begin` is a time of
 * clock_ms().
 */
void conn_seconds(struct conn *, int64_t begin, unsigned seconds);

/* True if conn_line() can return a line without waiting. */
bool conn_has_line(const struct conn *);

/*
 * Send bytes without waiting. If the socket would block, conn_line() sends the
 * remaining bytes later, while conn_line() waits for a reply. Therefore a long
 * pipeline of requests cannot block both sides.
 */
void conn_send(struct conn *, const char *, size_t);

/*
 * Receive one line, and set *line and *len to the line without its LF. The line
 * is valid until the next call with this connection. The byte (*line)[*len] is
 * writable. Return 1 if there is a line and 0 at the end of the connection. On
 * failure, return -1 with a sentence in `problem`.
 */
int conn_line(struct conn *, char **line, size_t *len);

/*
 * Receive bytes, at most `max`, and set *data and *len. The bytes are valid
 * until the next call with this connection. Return 1, 0 or -1 like conn_line().
 */
int conn_bytes(struct conn *, size_t max, char **data, size_t *len);

/*
 * Set the file descriptor that has the input of a command. conn_line() and
 * conn_bytes() read the descriptor while they wait, and send the input to the
 * daemon. The caller closes the descriptor. If fd is -1, close the sending
 * side. The daemon then sees the end of the requests, but still replies.
 */
void conn_feed(struct conn *, int fd);

/*
 * Close the connection, and clear `problem`. `complete` is true if each request
 * has received its reply. In this case, a TCP connection ends without a reset.
 */
void conn_close(struct conn *, bool complete);

#endif
