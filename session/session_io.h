/*
 * A session's side of its client: what has come, what is to go, and its end.
 */
#ifndef BRIDLE_SESSION_IO_H
#define BRIDLE_SESSION_IO_H

#include "ask.h"
#include "buf.h"
#include "stream.h"
#include "streams.h"
#include "vigil.h"
#include "wire.h"

#include <stdbool.h>
#include <stdint.h>

#define IO_IN_MAX \
	(2 * WIRE_LINE_MAX) /* read ahead, so that a hang-up is seen */
#define IO_OUT_HIGH 65536   /* above it the pipe is left to fill up */

enum io_state {
	IO_GREETING, /* the handshake of TLS */
	IO_IDLE,     /* reads requests */
	IO_WAITING,  /* the answer comes when others have had theirs */
	IO_RELAYING, /* an action's output goes by */
	IO_WATCHING, /* records come as things happen */
	IO_LEAVING,  /* the watch, which the parent has to end */
	IO_ANSWERED  /* the status is being written */
};

struct io {
	struct stream client;
	int ask;
	enum io_state state;
	bool eof;      /* the client sends no more */
	bool closing;  /* nothing more is read from it */
	bool stopping; /* the parent said so: flush before the end */
	bool unsaid;   /* the parent has not heard yet that we are idle */
	bool exited;   /* the action has, its status stands in `status` */
	size_t inlen;
	struct buf out;
	size_t sent; /* of out */
	struct buf status;
	struct streams streams;
	bool cut_said; /* the parent knows that the input is cut */
	bool gone;     /* the client; nothing goes to it any more */
	struct vigil vigil;
	uint64_t written; /* to the client, ever */
	struct ask_message message;
	char in[IO_IN_MAX + 1]; /* one more, to end a line with NUL */
};

/* Nobody is there to be told anything any more. */
void io_leave(void) __attribute__((noreturn));

/* The client has all that it will get: ends the connection in order. */
void io_finish(struct io *) __attribute__((noreturn));

/*
 * The client is gone. That ends us, and so its action, unless that is to go
 * on, or must not take for the whole what it has read so far: then the parent
 * ends it while its input is still open.
 */
void io_lose(struct io *);

/* Takes what has come, as far as there is room. */
void io_read(struct io *);

/* Sends bytes at once, as far as that goes; the rest waits for io_write(). */
void io_put(struct io *, const char *data, size_t len);
void io_write(struct io *);

#endif
