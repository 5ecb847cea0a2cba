/*
 * Functions by which the parent starts, awaits and ends a fork server
 * (session/fork_server.h).
 */
#ifndef BRIDLE_FORK_CLIENT_H
#define BRIDLE_FORK_CLIENT_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fork_client {
	const char *name; /* file name of the fork server's program */
	bool mute;        /* true to send stdout and stderr to /dev/null */
	int program;      /* descriptor of the program's file; -1 if not open */
	pid_t pid;        /* process ID; 0 if not started, or already reaped */
	int control;      /* parent's end of the channel, or -1 */
	int64_t started;  /* clock_ms() of the last start */
};

/*
 * Start the fork server. `host_key` is a file name that becomes the program's
 * argument, or NULL. The fork server is ready when fork_client_hello() has
 * returned 1. Return 0 if the start succeeds. On failure, append the reason,
 * without a newline, to `why`, and return -1.
 */
int fork_client_start(
	struct fork_client *, const char *host_key, struct buf *why);

/*
 * Read the hello message without blocking. Return 1 if the fork server is
 * ready, or 0 if no hello message has arrived yet. On failure, append the
 * reason to `why`, and return -1.
 */
int fork_client_hello(struct fork_client *, struct buf *why);

/*
 * Wait for the hello message. Return 0 if the fork server is ready. On failure,
 * kill and reap the fork server, append the reason to `why`, and return -1.
 */
int fork_client_await(struct fork_client *, struct buf *why);

/* Close the channel. The fork server then ends, and the caller must reap it. */
void fork_client_release(struct fork_client *);

/* Close the channel, and kill and reap the fork server. */
void fork_client_end(struct fork_client *);

#endif
