/*
 * Sends requests to one host and reads the replies.
 */
#ifndef BRIDLE_CALL_H
#define BRIDLE_CALL_H

#include "remote/conn.h"
#include "remote/endpoint.h"
#include "remote/reply.h"
#include "request.h"

#include <stddef.h>

/*
 * Connect to the host. If the request is not NULL, send the request. Returns 0,
 * or -1 with a sentence in conn->problem. In both cases, the caller must call
 * call_close() or conn_close().
 */
int call_open(struct conn *, const struct endpoint *, const struct request *);

/* Send another request over the connection. */
void call_send(struct conn *, const struct request *);

/*
 * Set the deadline for the reply to this request. With --timeout, leave the
 * deadline unchanged, because the deadline then limits the whole call.
 */
void call_extend(
	struct conn *, const struct endpoint *, const struct request *);

/*
 * Read the reply to the request. Returns 0, or -1 with a sentence in
 * conn->problem.
 */
int call_reply(struct conn *, const struct endpoint *, const struct request *,
	struct reply *);

/* The reasons why a call fails. */
enum call_result {
	CALL_FAILED = -1,    /* the host or the network failed */
	CALL_LATE = -2,      /* the deadline has passed */
	CALL_UNTRUSTED = -3, /* the host's key is wrong or unknown */
	CALL_UNABLE = -4     /* a local error; the host was not contacted */
};

/*
 * Close the connection. `result` is 0 if the last reply has arrived, and
 * another number after a failure. If `result` is 0, return 0. After a failure,
 * append conn->problem to `problem` and return a call_result. If the daemon has
 * perhaps carried out the request, also append this information.
 */
int call_close(
	struct conn *, const struct request *, int result, struct buf *problem);

/*
 * Connect, send one request and read the reply. Returns 0, or a call_result
 * with a sentence appended to problem. After a failure, the reply may be
 * incomplete.
 */
int call_ask(const struct endpoint *, const struct request *, struct reply *,
	struct buf *problem);

/*
 * Like call_ask(). For the verb `run`, also send the content of the file
 * descriptor `input`. The command on the host receives this content as its
 * input. If `input` is -1, send no input.
 */
int call_ask_with_input(const struct endpoint *, const struct request *,
	int input, struct reply *, struct buf *problem);

/*
 * Append to conn->problem that the reply is invalid, with the reason `why`.
 * Always return -1.
 */
int call_garbled(struct conn *, const char *why);

/*
 * Append to conn->problem that the connection ended before the end of the
 * reply. Always return -1.
 */
int call_cut(struct conn *);

#endif
