/*
 * What the log, those who watch, and the status line say of a request.
 */
#ifndef BRIDLE_REQUEST_LOG_H
#define BRIDLE_REQUEST_LOG_H

#include "audit.h"
#include "buf.h"

struct parent;
struct request;
struct session;

/* Gives it an id, and notes who asks for what; NULL: it is no request. */
void request_log_begin(struct parent *, const struct session *,
	const struct request *, struct audit_request *);

/* Leaves nothing of its arguments but the name. */
void request_log_name(struct audit_request *, const struct request *);

/* Appends the status line that ends its answer; the rule may be NULL. */
void request_log_status(struct buf *, const struct audit_request *, int code,
	const char *text, const char *rule);

#endif
