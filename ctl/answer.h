/*
 * What has become of a call to one of many hosts.
 */
#ifndef BRIDLE_ANSWER_H
#define BRIDLE_ANSWER_H

#include "buf.h"
#include "hosts.h"
#include "reply.h"

/* As the summary counts them. */
enum fate {
	FATE_OK,
	FATE_NO_MATCH,
	FATE_REFUSED, /* may not, or something is in the way */
	FATE_FAILED,  /* did not work, or only partly */
	FATE_TIMED_OUT,
	FATE_UNREACHED, /* no whole answer for another reason */
	FATE_NOT_ASKED, /* it ended before this one's turn */
	FATES
};

extern const char *const fate_names[FATES]; /* for people */
extern const char *const fate_keys[FATES];  /* for JSON */

struct answer {
	const struct host *host;
	size_t index; /* of the host, in the order of the call */
	enum fate fate;
	int64_t microseconds; /* that it took, from the connection on */
	struct reply reply; /* may have part of an answer, whatever the fate */
	struct buf problem; /* "" if the answer is whole */
	struct buf notices; /* lines for stderr, safe to show */
};

/* The fate of a host that has answered with that code. */
enum fate fate_of(int code);

/* Whether it counts against --max-failures. */
bool fate_is_failure(enum fate);

/* From a worker to the one who started it: appends all but the host. */
void answer_pack(const struct answer *, struct buf *out);

/*
 * Takes it apart again; what is not of that form is a failed worker, and told
 * as such. The bytes are changed.
 */
void answer_unpack(struct answer *, char *bytes, size_t len);

/* It has come to this instead, for that reason. */
void answer_fail(struct answer *, enum fate, const char *why);

/* Frees what it owns; may be done twice. */
void answer_free(struct answer *);

#endif
