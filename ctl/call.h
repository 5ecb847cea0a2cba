/*
 * Requests to one host, and their answers.
 */
#ifndef BRIDLE_CALL_H
#define BRIDLE_CALL_H

#include "client.h"
#include "invocation.h"
#include "reply.h"

#include <stddef.h>

/*
 * Connects and sends the lines. 0, or -1 with client->problem. The client
 * must be given to client_close() in either case.
 */
int call_open(struct client *, const struct invocation *, const char *lines,
	size_t len);

/*
 * Grants the next answer its time, if the call as a whole has no --timeout.
 */
void call_extend(struct client *, const struct invocation *);

/* Reads one answer. 0, or -1 with client->problem. */
int call_answer(struct client *, const struct invocation *, struct reply *);

/* How a call fails: */
enum call_result {
	CALL_FAILED = -1, /* by itself */
	CALL_LATE = -2,   /* its time is over */
	CALL_UNTRUSTED =
		-3,      /* another host answers, or one that nobody knows */
	CALL_UNABLE = -4 /* here already: nothing is known of the host */
};

/* Which of them it is, of a client that has just failed. */
int call_failed(const struct client *);

/*
 * All of it: one request, one answer. 0, or a call_result: then the problem
 * is appended to `problem`, and the reply may hold part of the answer.
 */
int call_ask(const struct invocation *, const struct request *, struct reply *,
	struct buf *problem);

/*
 * Appends that it may have been done, where the answer to a request that
 * changes something was not seen.
 */
void call_unsure(const struct request *, struct buf *problem);

/* Puts "this is not an answer" into client->problem; returns -1. */
int call_garbled(struct client *, const char *why);

/* Likewise for an answer that ends before its status. */
int call_cut(struct client *);

#endif
