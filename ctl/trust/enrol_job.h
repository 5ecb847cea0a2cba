/*
 * Enrols one host. Admits the user's key on the host, and then sends a ping
 * over TLS. The ping proves that the host accepts the key.
 */
#ifndef BRIDLE_ENROL_JOB_H
#define BRIDLE_ENROL_JOB_H

#include "fanout/worker.h"
#include "trust/admit.h"

/* The context of enrol_job(), the same for all hosts. */
struct enrol {
	/* the admission; the key is not set, but all other members are set */
	struct admit admit;
	/* user name on the hosts; NULL: ssh chooses the name */
	const char *user;
	const char *via; /* value of --via, or NULL */
	bool may_ask;    /* true if ssh is allowed to ask for a password */
};

/* Default time limit for one host, in seconds. */
#define ENROL_SECONDS 90
/*
 * Default time limit for one host, in seconds, if ssh is allowed to ask for a
 * password.
 */
#define ENROL_ASK_SECONDS 300

/*
 * The keys of the pairs in the status of a result. The pair "fingerprint" is
 * missing if the host has not admitted the user's key.
 */
#define ENROL_PAIR_FINGERPRINT "fingerprint"
#define ENROL_PAIR_STATE "state"
#define ENROL_PAIR_PORT "port"

/*
 * Enrol result->host. The function is a worker_job, and `context` is a struct
 * enrol. The function writes no file on this machine. If the host admits the
 * key, but the ping fails, the result has a problem and a fingerprint. After a
 * dry run, the output of the reply is the text that the host has sent.
 */
void enrol_job(const struct invocation *, struct result *, const void *context);

#endif
