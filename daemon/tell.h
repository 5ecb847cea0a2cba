/*
 * What has happened is told to those who watch, now or within a while.
 */
#ifndef BRIDLE_TELL_H
#define BRIDLE_TELL_H

#include "audit.h"
#include "buf.h"
#include "identity.h"

#include <stdbool.h>
#include <stdint.h>

struct parent;
struct request;
struct session;

/*
 * The session's client is known for the first time; then, it has gone. That is
 * told of the first session of a client from a source, and of the last.
 */
void tell_online(struct parent *, struct session *);
void tell_offline(struct parent *, struct session *);

/*
 * A request has come to its end, which goes into the log too. Whatever was
 * asked, of a message that is for one nobody else reads the text.
 */
void tell_request(struct parent *, const struct audit_request *, int code,
	const char *text);

/* What the client of that session says; "" for all. The number it has. */
uint64_t tell_message(struct parent *, const struct session *,
	const struct audit_request *, const char *text, const char *to);

/* The settings were read again, or could not be. */
void tell_reload(struct parent *, bool taken);

/* A source is shut out for so many seconds. */
void tell_penalty(struct parent *, const struct session *, const char *source,
	unsigned seconds, const char *cause);

/*
 * Appends a record to a watch that is nobody else's: its beginning, a gap, a
 * heartbeat. Its number is the last that was told there.
 */
struct tell_notice {
	unsigned kind;
	uint64_t number;
	const char *arguments, *text;
};
void tell_notice(
	const struct parent *, const struct tell_notice *, struct buf *);

#endif
