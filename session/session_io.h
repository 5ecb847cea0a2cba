/*
 * The connection of a session to its client: input, output, and the end.
 */
#ifndef BRIDLE_SESSION_IO_H
#define BRIDLE_SESSION_IO_H

#include "buf.h"
#include "liveness.h"
#include "privsep.h"
#include "stream.h"
#include "streams.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Maximum number of bytes in the input buffer. The session reads ahead, so that
 * it notices when the client hangs up.
 */
#define IO_IN_MAX (2 * WIRE_LINE_MAX)

/*
 * Limit of the unsent output, in bytes. Above this limit, the session does not
 * read the output of an action.
 */
#define IO_OUT_HIGH 65536

/*
 * The states of a session. Capitals between dashes are messages from the parent
 * (privsep.h).
 *
 *     HANDSHAKE ------ handshake done ----> IDLE
 *     IDLE ----------- WAIT --------------> WAITING
 *     IDLE, WAITING -- REPLY -------------> REPLIED
 *     IDLE, WAITING -- RELAY -------------> RELAYING
 *     RELAYING ------- EXITED, pipe read -> REPLIED
 *     IDLE ----------- EVENTS ------------> WATCHING
 *     WATCHING ------- another request ---> LEAVING
 *     WATCHING ------- client slow, gone -> LEAVING, reads no more requests
 *     LEAVING -------- REPLY -------------> REPLIED
 *     LEAVING -------- END ---------------> IDLE
 *     REPLIED -------- all is written ----> IDLE
 *     any ------------ END, client gone --> the process ends
 */
enum io_state {
	IO_HANDSHAKE, /* the session performs the TLS handshake */
	IO_IDLE,      /* the session reads requests */
	IO_WAITING,   /* the session waits for the reply to a queued request */
	IO_RELAYING,  /* the session passes an action's output to the client */
	IO_WATCHING,  /* the session passes events to the client */
	IO_LEAVING,   /* the session waits for the parent to end the watch */
	IO_REPLIED    /* the session writes the last bytes of a reply */
};

struct io {
	struct stream client;
	int parent; /* channel to the parent */
	enum io_state state;
	bool eof;     /* the client sends no more */
	bool closing; /* the session reads no more requests */
	/*
	 * the parent is stopping; at its end, the session waits until the
	 * client's machine has acknowledged all bytes
	 */
	bool stopping;
	/* the parent does not know yet that the session is idle */
	bool idle_unreported;
	bool begun_reported; /* the parent knows that a line has begun */
	bool lf_due; /* a request was served before its LF has arrived */
	/* the action has ended, and `status` holds its status line */
	bool exited;
	size_t inlen;
	struct buf out;
	size_t sent; /* number of bytes of `out` that are sent */
	struct buf status;
	struct streams streams;
	/* the parent knows that the input is incomplete or too long */
	bool cut_reported;
	bool client_gone; /* the client is gone, so the session sends nothing */
	struct liveness liveness;
	uint64_t written; /* number of bytes sent to the client */
	/* number of bytes received and sent since the last PRIVSEP_ALIVE */
	uint64_t moved;
	struct privsep_message message;
	char in[IO_IN_MAX + 1]; /* input, with room for a NUL after a line */
};

/*
 * If the session relays or watches, tell the parent that the session is alive.
 */
void io_report_alive(struct io *);

/* End the session immediately, without sending more output. */
void io_leave(void) __attribute__((noreturn));

/*
 * End the connection and the session. Call this function when all output is
 * written.
 */
void io_finish(struct io *) __attribute__((noreturn));

/*
 * Handle the loss of the client. End the session, which also ends the session's
 * action. If the action is detached, the session and the action continue. If
 * the action's input is incomplete, the session stays until the parent ends the
 * action. An earlier end of the session would close the pipe, and the
 * incomplete input would look complete.
 */
void io_lose(struct io *);

/* Read the available input, as far as the buffer has room. */
void io_read(struct io *);

/*
 * Send the bytes that the socket accepts now, and store the rest. io_write()
 * sends the stored bytes.
 */
void io_put(struct io *, const char *data, size_t len);
void io_write(struct io *);

#endif
