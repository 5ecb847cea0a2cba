/*
 * Connections that get a status line, but no session. Each connection stays
 * open for up to one second, and its input is discarded. If the daemon closed a
 * connection with unread input, the kernel would reset the connection. The
 * client could then lose the status line.
 */
#ifndef BRIDLE_REJECT_H
#define BRIDLE_REJECT_H

#include <stddef.h>
#include <stdint.h>

/*
 * maximum number of these connections; further connections are closed
 * immediately
 */
#define REJECT_MAX 64

struct rejected {
	size_t n;
	struct {
		int fd;
		int64_t deadline;
	} v[REJECT_MAX];
};

/*
 * Send a status line to the client at `fd`. The function takes over the
 * descriptor, and closes it later.
 */
void reject(struct rejected *, int fd, int code, const char *text);

/*
 * Discard input of the connection `fd`. At the end of the input, close the
 * connection.
 */
void reject_read(struct rejected *, int fd);

/*
 * Close the connections whose deadline has passed. Return the next deadline, or
 * CLOCK_NEVER.
 */
int64_t reject_expire(struct rejected *, int64_t now);

/* Close all connections. */
void reject_close(struct rejected *);

#endif
