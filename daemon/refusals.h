/*
 * Connections that get one line and no session. They are kept for a moment,
 * and what they send is thrown away unread, so that the line arrives.
 */
#ifndef BRIDLE_REFUSALS_H
#define BRIDLE_REFUSALS_H

#include <stddef.h>
#include <stdint.h>

#define REFUSALS_MAX 64 /* beyond that, a connection is just closed */

struct refusals {
	size_t n;
	struct {
		int fd;
		int64_t deadline;
	} v[REFUSALS_MAX];
};

/* Takes fd over. */
void refusals_add(struct refusals *, int fd, int code, const char *text);

/* Throws away what came on fd, closes it at its end. */
void refusals_read(struct refusals *, int fd);

/*
 * Closes those whose time is over; when the next one's will be (CLOCK_NEVER
 * without any); closes all.
 */
void refusals_expire(struct refusals *, int64_t now);
int64_t refusals_deadline(const struct refusals *);
void refusals_close(struct refusals *);

#endif
