/*
 * The ask channel: what a session and the parent say to each other over
 * their SOCK_SEQPACKET pair. Each message has an exact length.
 *
 *     session → parent   REQUEST    may I? and then, please do
 *                        MALFORMED  the client sent what is no request
 *                        DONE       the answer has been written
 *                        PEER       who came, by TLS: once, before all else
 *                        STALLED    who watches does not read, or is gone
 *                        CUT        what the command reads will not come whole
 *     parent → session   CLIENT     comes with it: serve that one, then end
 *                        ANSWER     write this; that is all of the answer
 *                        RELAY      a pipe comes with it: pass on what it has
 *                        EXITED     drain the pipe, then write this
 *                        EVENTS     you watch: write this, more will come
 *                        BEAT       the same; is your client still there?
 *                        END        write this if anything, then go
 *                        WAIT       the answer comes later: see to the client
 *
 * In a watch the session may ask for a ping, which is answered by a BEAT, and
 * say DONE, which is answered, after what EVENTS are due, by an ANSWER.
 *
 * A session that has asked must not ask again before it has the answer. To
 * ask again is to say DONE; the word is only for those who then fall silent.
 * The parent trusts nothing in a message but its length, and that only after
 * it has counted.
 */
#ifndef BRIDLE_ASK_H
#define BRIDLE_ASK_H

#include "request.h"
#include "wire.h"

#include <stdint.h>
#include <sys/types.h>

enum ask_kind {
	ASK_REQUEST = 1,
	ASK_MALFORMED,
	ASK_DONE,
	ASK_PEER,
	ASK_STALLED,
	ASK_CUT,
	ASK_CLIENT,
	ASK_ANSWER,
	ASK_RELAY,
	ASK_EXITED,
	ASK_EVENTS,
	ASK_BEAT,
	ASK_END,
	ASK_WAIT
};

/* What the session makes of an action's pipe. */
enum ask_relay {
	RELAY_LINES,   /* whole lines are passed on as they are */
	RELAY_CAPTURE, /* the first line goes into the status, as output= */
	RELAY_STREAM   /* of a run; the message says which stream */
};

/* Standard input goes to the pipe; the others come from it, as chunks. */
enum ask_stream_number { STREAM_INPUT, STREAM_OUTPUT, STREAM_ERROR, STREAMS };

/*
 * The rest of a message with a pipe of RELAY_STREAM. STREAM_OUTPUT is the
 * first, and what it says of output holds for STREAM_ERROR, too.
 */
struct ask_stream {
	uint32_t number; /* enum ask_stream_number */
	uint32_t detach; /* the run goes on without its client */
	uint64_t most;   /* bytes that are passed on */
};

struct ask_request {
	uint32_t kind;
	uint32_t verb;
	uint32_t explain;
	uint32_t dry_run;
	uint32_t wall;
	uint32_t signal;
	uint32_t escalate;
	uint32_t wait;
	uint32_t mode;
	uint32_t len[REQUEST_STRINGS]; /* with the NUL; 0 for NULL */
	uint32_t nargs;
	struct {
		uint32_t len; /* likewise, and never 0 */
		uint32_t named;
	} args[REQUEST_ARGS_MAX];
};

struct ask_malformed {
	uint32_t kind;
	uint32_t code;
	char reason[REQUEST_REASON_MAX];
};

struct ask_done { /* ASK_DONE, ASK_STALLED */
	uint32_t kind;
};

/* What the handshake has come to. */
enum ask_handshake {
	HANDSHAKE_KEY,    /* the fingerprint of the peer's key */
	HANDSHAKE_NO_KEY, /* it has shown none */
	HANDSHAKE_PLAIN,  /* it does not speak TLS */
	HANDSHAKE_FAILED, /* why */
	HANDSHAKES
};

struct ask_peer {
	uint32_t kind;
	uint32_t result; /* enum ask_handshake */
	char text[REQUEST_REASON_MAX];
};

struct ask_cut {
	uint32_t kind;
	uint32_t code; /* CODE_MALFORMED or CODE_TOO_LONG */
};

struct ask_answer {
	uint32_t kind;
	uint32_t relay; /* enum ask_relay, of ASK_RELAY */
};

#define ASK_QUESTION_MAX                                                \
	(sizeof(struct ask_request) + WIRE_LINE_MAX + REQUEST_STRINGS + \
		REQUEST_ARGS_MAX)
#define ASK_BYTES_MAX 65536 /* of an answer, after its head */

/* A message from a session, taken apart. */
struct ask_question {
	enum ask_kind kind;
	struct request request;     /* its strings point into bytes */
	struct request_error error; /* of ASK_MALFORMED */
	struct ask_peer peer;       /* of ASK_PEER */
	struct ask_cut cut;         /* of ASK_CUT */
	char bytes[ASK_QUESTION_MAX];
};

/*
 * The session's side, where SIGPIPE is ignored. All return 0, or -1 with
 * errno.
 */
int ask_request(int sock, const struct request *);
int ask_malformed(int sock, const struct request_error *);
int ask_done(int sock);
int ask_stalled(int sock);
int ask_cut(int sock, int code);
int ask_peer(int sock, enum ask_handshake, const char *text);

/* A message from the parent: what is to be written follows its head. */
struct ask_message {
	struct ask_answer head;
	char bytes[ASK_BYTES_MAX];
};

/* Waits for the client: 1, 0 when the parent is gone, -1 with errno. */
int ask_take_client(int sock, int *client);

/*
 * Receives a message of the parent; *len is how many of its bytes there are,
 * *pass the pipe, -1 without. Returns 1, 0 when the parent is gone, -1 with
 * errno.
 */
int ask_receive(int sock, struct ask_message *, size_t *len, int *pass);

/*
 * The parent's side. Gives a session its client, of which the caller keeps its
 * own descriptor. 0, or -1 with errno.
 */
int ask_give_client(int sock, int client);

/*
 * Receives one question: 1, 0 when the session is gone,
 * -1 with errno: EAGAIN if there is none, EPROTO if it is not a message that
 * a session may send.
 */
int ask_question(int sock, struct ask_question *);

/* The same for len bytes that already stand in q->bytes: 0, or -1. */
int ask_decode(struct ask_question *q, size_t len);

/* After *copy = *q: the strings of the copy point into the copy. */
void ask_rebase(struct ask_question *copy, const struct ask_question *q);

/*
 * Sends an answer of at most ASK_BYTES_MAX bytes without blocking. 0, or -1
 * with errno (the session is gone or does not read: end it).
 */
int ask_answer(int sock, enum ask_kind, enum ask_relay, const void *bytes,
	size_t len, int pass);

#endif
