/*
 * The texts about a request that appear in the log, in events, and in the
 * status line.
 */
#ifndef BRIDLE_REQUEST_LOG_H
#define BRIDLE_REQUEST_LOG_H

#include "buf.h"
#include "sys/logger.h"

struct parent;
struct request;
struct session;

/*
 * Give the request an id, and store its source and its arguments for the log.
 * The request is NULL if it is malformed.
 */
void request_log_begin(struct parent *, const struct session *,
	const struct request *, struct logger_request *);

/*
 * Replace the stored arguments of a `run` request. Keep the name of the
 * command, and leave out the command's arguments.
 */
void request_log_name(struct logger_request *, const struct request *);

/* Append the status line, which ends the reply. `rule` may be NULL. */
void request_log_status(struct buf *, const struct logger_request *, int code,
	const char *text, const char *rule);

/*
 * Log the end of a request, and publish it as an event. Hide the status text if
 * the request is secret.
 */
void request_log_end(struct parent *, const struct logger_request *, int code,
	const char *text);

#endif
