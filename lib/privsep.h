/*
 * The channel between a session and the parent, which is a SOCK_SEQPACKET pair.
 * The receiver refuses a message with a wrong length.
 *
 *   session → parent
 *     REQUEST    the client's request
 *     MALFORMED  the client's line is not a valid request
 *     DONE       the reply is written, and no further byte has arrived
 *     PEER       the result of the TLS handshake, before all other messages
 *     STALLED    the subscriber does not read, or has left
 *     CUT        the command's input is incomplete or too long
 *     BEGUN      the reply is written, and a part of a line has arrived
 *     ALIVE      the session works; grant it CPU time
 *   parent → session
 *     CLIENT     with a socket: serve this client, then end
 *     REPLY      write these bytes, the whole reply
 *     RELAY      with a pipe: relay the bytes of the pipe
 *     EXITED     drain the pipes, then write these bytes
 *     EVENTS     write these bytes to the subscriber; the watch goes on
 *     BEAT       like EVENTS, and check that the client is alive
 *     PONG       like EVENTS; the bytes are the reply to a ping
 *     END        write these bytes, if there are any, then end
 *     LATE       the client's line has taken too long: write this text
 *                and the part of the line, then end
 *     WAIT       the reply comes later: meanwhile check that the client
 *                has not left
 *
 * During a watch the session is allowed to send a REQUEST for a ping, and the
 * parent replies with PONG. The session is also allowed to send DONE. The
 * parent then sends the EVENTS that are due, and after them a REPLY.
 *
 * During a watch, and while the session relays bytes, the session sends ALIVE
 * from time to time. For each ALIVE the parent raises the session's limit of
 * CPU time.
 *
 * A session must not send another REQUEST before it has received the whole
 * reply. The next REQUEST implies DONE, so a session sends DONE only if the
 * client has sent no other request. The parent checks everything in a message
 * except the length. The length is trusted, because the kernel reports the
 * length.
 */
#ifndef BRIDLE_PRIVSEP_H
#define BRIDLE_PRIVSEP_H

#include "request.h"
#include "wire.h"

#include <stdint.h>
#include <sys/types.h>

enum privsep_kind {
	PRIVSEP_REQUEST = 1,
	PRIVSEP_MALFORMED,
	PRIVSEP_DONE,
	PRIVSEP_PEER,
	PRIVSEP_STALLED,
	PRIVSEP_CUT,
	PRIVSEP_BEGUN,
	PRIVSEP_ALIVE,
	PRIVSEP_CLIENT,
	PRIVSEP_REPLY,
	PRIVSEP_RELAY,
	PRIVSEP_EXITED,
	PRIVSEP_EVENTS,
	PRIVSEP_BEAT,
	PRIVSEP_END,
	PRIVSEP_WAIT,
	PRIVSEP_LATE,
	PRIVSEP_PONG
};

/* Ways in which a session handles the bytes from an action's pipe. */
enum privsep_relay {
	RELAY_LINES,   /* send whole lines unchanged to the client */
	RELAY_CAPTURE, /* put the first line into output= of the status */
	RELAY_STREAM   /* send the bytes to the client as chunks */
};

/*
 * Streams of a command, each with a pipe. The session writes to the pipe of
 * STREAM_INPUT, and reads from the other pipes.
 */
enum privsep_stream_number {
	STREAM_INPUT,
	STREAM_OUTPUT,
	STREAM_ERROR,
	STREAMS
};

/*
 * The bytes that follow the head of a RELAY message if the message's value
 * `relay` is RELAY_STREAM. The message for STREAM_OUTPUT comes before the
 * message for STREAM_ERROR. The limit in the first message covers both streams
 * together.
 */
struct privsep_stream {
	uint32_t number; /* a value of enum privsep_stream_number */
	uint32_t detach; /* true if the command goes on without its client */
	uint64_t most;   /* maximum number of bytes that the session relays */
};

struct privsep_request {
	uint32_t kind;
	uint32_t verb;
	uint32_t explain;
	uint32_t dry_run;
	uint32_t wall;
	uint32_t signal;
	uint32_t escalate;
	uint32_t wait;
	uint32_t mode;
	uint32_t len[REQUEST_STRINGS]; /* lengths with NUL; 0 if absent */
	uint32_t nargs;
	struct {
		uint32_t len; /* length of the argument with its NUL; never 0 */
		uint32_t named;
	} args[REQUEST_ARGS_MAX];
};

struct privsep_malformed {
	uint32_t kind;
	uint32_t code;
	char reason[REQUEST_REASON_MAX];
};

struct privsep_notice { /* a message DONE, STALLED, BEGUN or ALIVE */
	uint32_t kind;
};

/* Results of a TLS handshake. */
enum privsep_handshake {
	PRIVSEP_HANDSHAKE_KEY,    /* success; `text` is the fingerprint */
	PRIVSEP_HANDSHAKE_NO_KEY, /* success, but the peer has sent no key */
	PRIVSEP_HANDSHAKE_PLAIN,  /* failure: the peer does not speak TLS */
	PRIVSEP_HANDSHAKE_FAILED, /* failure; `text` is the reason */
	PRIVSEP_HANDSHAKE_LEFT, /* failure: the peer closed or sent an alert */
	PRIVSEP_HANDSHAKES
};

struct privsep_peer {
	uint32_t kind;
	uint32_t result; /* a value of enum privsep_handshake */
	char text[REQUEST_REASON_MAX];
};

struct privsep_cut {
	uint32_t kind;
	uint32_t code; /* either CODE_MALFORMED or CODE_TOO_LONG */
};

struct privsep_reply {
	uint32_t kind;
	uint32_t relay; /* a value of enum privsep_relay */
};

#define PRIVSEP_INBOUND_MAX                                                 \
	(sizeof(struct privsep_request) + WIRE_LINE_MAX + REQUEST_STRINGS + \
		REQUEST_ARGS_MAX)
/* Maximum number of bytes after the head of a message from the parent. */
#define PRIVSEP_BYTES_MAX 65536

/* A decoded message from a session. `kind` decides which member is set. */
struct privsep_inbound {
	enum privsep_kind kind;
	struct request request;          /* content of PRIVSEP_REQUEST */
	struct request_error error;      /* content of PRIVSEP_MALFORMED */
	struct privsep_peer peer;        /* content of PRIVSEP_PEER */
	struct privsep_cut cut;          /* content of PRIVSEP_CUT */
	char bytes[PRIVSEP_INBOUND_MAX]; /* memory for the request's strings */
};

/* Send a message from the session to the parent. Return 0, or -1 with errno. */
int privsep_request(int sock, const struct request *);
int privsep_malformed(int sock, const struct request_error *);
int privsep_notice(int sock, enum privsep_kind);
int privsep_cut(int sock, int code);
int privsep_peer(int sock, enum privsep_handshake, const char *text);

/*
 * A message from the parent. The message is a head, and the bytes that follow
 * the head.
 */
struct privsep_message {
	struct privsep_reply head;
	char bytes[PRIVSEP_BYTES_MAX];
};

/*
 * Receive the message CLIENT. Set *client to the client's socket, which the
 * caller closes. If the flags contain MSG_DONTWAIT, do not wait for the
 * message. Return 1 for a message, 0 if the parent has ended, or -1 with errno.
 */
int privsep_take_client(int sock, int flags, int *client);

/*
 * Wait for a message from the parent. Set *len to the number of bytes after the
 * head. Set *pass to the pipe that the message carries, or to -1; the caller
 * closes the pipe. Return 1 for a message, 0 if the parent has ended, or -1
 * with errno.
 */
int privsep_receive(int sock, struct privsep_message *, size_t *len, int *pass);

/*
 * Send the client's socket from the parent to a session. The descriptor
 * `client` in the parent stays open. Return 0, or -1 with errno.
 */
int privsep_give_client(int sock, int client);

/*
 * Receive and decode one message from a session, without waiting. Return 1 for
 * a message, 0 if the session has ended, or -1 with errno. EAGAIN means that
 * there is no message. EPROTO means that a session must not send this message.
 */
int privsep_inbound(int sock, struct privsep_inbound *);

/*
 * Decode the message in q->bytes, which has len bytes. Return 0, or -1 with
 * EPROTO.
 */
int privsep_decode(struct privsep_inbound *q, size_t len);

/*
 * Make the strings of *copy point to the bytes in *copy instead of the bytes in
 * *q. Call this function after the assignment *copy = *q.
 */
void privsep_rebase(
	struct privsep_inbound *copy, const struct privsep_inbound *q);

/*
 * Send a message from the parent to a session, without blocking. The message
 * has at most PRIVSEP_BYTES_MAX bytes, and carries the pipe `pass` unless
 * `pass` is -1. Return 0, or -1 with errno. After an error the caller must end
 * the session, because the session does not read the messages from the parent.
 */
int privsep_reply(int sock, enum privsep_kind, enum privsep_relay,
	const void *bytes, size_t len, int pass);

#endif
