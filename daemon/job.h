/*
 * One question on its way to an answer: of the parent's own, or of an action.
 */
#ifndef BRIDLE_JOB_H
#define BRIDLE_JOB_H

#include "parent.h"
#include "policy.h"

struct job {
	struct parent *parent;
	struct session *session;
	const struct request *request; /* NULL: it was none */
	struct verdict verdict;
	struct audit_request log;
	struct buf answer; /* of an answer that needs no action; owned */
	bool waits;        /* for other runs of its command */
};

/* The answer is complete: it goes to the session and into the log. */
void job_finish(struct job *, int code, const char *text, const char *rule);

/*
 * The answer is that of an action, which begins now if there is a place for
 * it; else the client is told why not. argv is as actions_start() takes it.
 */
void job_start(struct job *, char *const *argv, const char *about);
bool job_has_place(const struct job *);

#endif
