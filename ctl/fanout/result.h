/*
 * The result of a request to one host.
 */
#ifndef BRIDLE_RESULT_H
#define BRIDLE_RESULT_H

#include "buf.h"
#include "hosts/host.h"
#include "magic_packet.h"
#include "remote/reply.h"

/* The kinds of results. The summary counts the results of each kind. */
enum result_kind {
	RESULT_OK,
	RESULT_NO_MATCH,
	RESULT_REFUSED, /* the daemon refused the request */
	RESULT_FAILED,  /* the request failed, completely or in part */
	RESULT_TIMED_OUT,
	/* no complete reply has arrived, but the cause is not a timeout */
	RESULT_UNREACHED,
	/* the command ended before the request was sent to the host */
	RESULT_NOT_ASKED,
	RESULT_KINDS
};

/* The names of the kinds of results, in messages and in JSON. */
extern const char *const result_kind_names[RESULT_KINDS];
extern const char *const result_kind_keys[RESULT_KINDS];

struct result {
	const struct host *host;
	size_t index; /* index of the host in the invocation */
	enum result_kind result_kind;
	int64_t microseconds; /* time for the connection and the call */
	/* the reply; every kind of result can have an incomplete reply */
	struct reply reply;
	struct buf problem; /* cause of a failure; empty if the reply is
			       complete */
	/* messages for stderr, with unsafe characters already escaped */
	struct buf notices;
	bool has_mac;                /* `mac` is set */
	unsigned char mac[MAC_SIZE]; /* learnt MAC address of the host */
};

/* Return the kind of a result whose reply has this status code. */
enum result_kind result_kind_of(int code);

/* True if a result of this kind counts against --max-failures. */
bool result_kind_is_failure(enum result_kind);

/*
 * Append the packed result to `out`. The host of the result is not packed. A
 * worker sends these bytes to its parent.
 */
void result_pack(const struct result *, struct buf *out);

/*
 * Set the members of a result from packed bytes. The host and the index stay
 * unchanged. The bytes are overwritten. If the bytes are malformed, the result
 * becomes RESULT_UNREACHED with a problem.
 */
void result_unpack(struct result *, char *bytes, size_t len);

/*
 * Turn the result into a failure of this kind. Remove the reply, and set the
 * problem to the text `why`.
 */
void result_fail(struct result *, enum result_kind, const char *why);

/* Free the members of a result. The function may be called twice. */
void result_free(struct result *);

#endif
