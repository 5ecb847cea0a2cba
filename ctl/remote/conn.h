/*
 * A connection to one daemon, with a deadline.
 *
 * A function that fails appends a sentence to `problem`. Further lines of
 * `problem` say what the user can do. `problem` may contain unsafe bytes: print
 * the text with text_safe().
 *
 * If bridlectl ends during a request, by ^C or by a crash, the daemon must end
 * the action. Therefore the kernel sends a reset when a TCP connection is
 * closed. After a reset, the daemon ends the action. If all replies are
 * complete, conn_close() turns this reset off.
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
	bool tried;   /* the host was contacted */
	bool sent;    /* a request was sent, at least in part */
	bool refused; /* a busy daemon has refused without TLS */
	enum target_kind kind;
	struct tls *tls; /* the TLS connection; NULL without TLS */
	struct stream stream;
	char peer[TLS_FINGERPRINT_SIZE]; /* host key's fingerprint, with TLS */
	bool received;                   /* at least one byte was received */
	/* time of clock_ms() for the next check that the local daemon starts */
	int64_t start_check;
	int64_t deadline; /* end of the time limit, as a time of clock_ms() */
	unsigned seconds; /* the time limit in seconds, for messages */
	char *in; /* received bytes; the unread bytes begin at `start` */
	size_t start;
	size_t end;     /* end of the unread bytes */
	struct buf out; /* bytes to send */
	bool ending;    /* close the sending side when `out` is empty */
	int input;      /* the descriptor of conn_feed(); -1: none */
	bool deaf;      /* send nothing more, but read the reply */
	struct buf problem;
};

/* Initialise a connection. conn_close() initialises the connection again. */
void conn_init(struct conn *);

/*
 * Connect to one of the target's addresses. `deadline` is a time of clock_ms()
 * and limits all later calls, too. With TLS, show the key of the context to the
 * host; the caller must check `peer` before sending anything. Without TLS, the
 * context may be NULL. Returns 0, or -1 with a sentence in `problem`.
 */
int conn_open(struct conn *, const struct target *, struct tls_context *,
	int64_t deadline);

/*
 * Prepare conn_line() to return the daemon's refusal. The caller must have
 * called conn_open(), which has failed and set `refused`. Later calls send
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
 * remaining bytes while waiting for a reply. Therefore a long pipeline of
 * requests cannot block both sides.
 */
void conn_send(struct conn *, const char *, size_t);

/*
 * Receive one line, and set *line and *len to the line without its LF. The line
 * is valid until the following call with this connection. The byte
 * (*line)[*len] is writable. Return 1 if there is a line and 0 at the end of
 * the connection. On failure, return -1 with a sentence in `problem`.
 */
int conn_line(struct conn *, char **line, size_t *len);

/*
 * Receive bytes, at most `max`, and set *data and *len. The bytes are valid
 * until the following call with this connection. Return 1, 0 or -1 like
 * conn_line().
 */
int conn_bytes(struct conn *, size_t max, char **data, size_t *len);

/*
 * Let conn_line() and conn_bytes() read the file descriptor while they wait.
 * They send its content as the input of a command. The caller closes the
 * descriptor. If fd is -1, close the sending side: the daemon sees the end of
 * the requests, but still replies.
 */
void conn_feed(struct conn *, int fd);

/*
 * Close the connection, and clear `problem`. `complete` is true if each request
 * has got its reply. In this case, a TCP connection ends without a reset.
 */
void conn_close(struct conn *, bool complete);

#endif
