/*
 * Admits the user's key on a host, over ssh(1) or a similar program.
 */
#ifndef BRIDLE_ENROL_SSH_H
#define BRIDLE_ENROL_SSH_H

#include "buf.h"
#include "tls.h"
#include "trust/admit.h"

#include <stdbool.h>
#include <stdint.h>

/* How enrol_ssh() reaches the host. */
struct enrol_ssh {
	/* user name on the host; NULL: ssh chooses the name */
	const char *user;
	const char *host; /* name or address */
	const char *via;  /* value of --via; NULL: use ssh */
	bool may_ask;     /* true if ssh is allowed to ask for a password */
	int64_t deadline; /* a time of clock_ms() */
};

enum enrol_result {
	ENROL_DONE,
	ENROL_UNREACHED, /* no connection, or no login */
	ENROL_LATE,
	ENROL_REFUSED, /* sudo has failed, or the host has refused */
	ENROL_FAILED   /* a program is missing, or the reply is invalid */
};

/* The reply of the host. A zeroed struct is an empty reply. */
struct enrol_reply {
	char state[16];
	char fingerprint[TLS_FINGERPRINT_SIZE]; /* of the host key */
	/* the TLS addresses of the host; each address ends with LF */
	struct buf listeners;
	struct buf plan; /* text of a dry run */
	struct buf said; /* messages of the host; each message begins with LF */
};

/*
 * Check the value of --via. Returns 0, or -1 with a sentence appended to error.
 */
int enrol_ssh_check_via(const char *via, struct buf *error);

/*
 * Run "bridlectl admit --stdin" on the host, and send the admission to the
 * standard input of this command. Without --via, ssh refuses a host if ssh does
 * not know the host's key. Return ENROL_DONE, or another result with lines
 * appended to problem. In both cases, the caller must call enrol_reply_free().
 */
enum enrol_result enrol_ssh(const struct enrol_ssh *, const struct admit *,
	struct enrol_reply *, struct buf *problem);

void enrol_reply_free(struct enrol_reply *);

#endif
