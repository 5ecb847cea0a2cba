/*
 * The parent's hold on a fork server (session/fork_server.h).
 */
#ifndef BRIDLE_FORKER_H
#define BRIDLE_FORKER_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct forker {
	const char *name; /* of its program */
	bool mute;        /* nobody hears its standard output and error */
	int program;      /* the file, of the version that we are; or -1 */
	pid_t pid;        /* 0: there is none, or it has been reaped */
	int control;      /* our end of its channel, or -1 */
	bool serves;      /* it has said hello */
	int64_t started;  /* clock_ms() */
};

/*
 * Starts it, with that file as its argument unless that is NULL; it serves
 * when forker_hello() says so. 0, or -1 with the reason, no whole line.
 */
int forker_start(struct forker *, const char *host_key, struct buf *why);

/* 1 when it serves, 0 if it has not said yet, -1 with the reason. */
int forker_hello(struct forker *, struct buf *why);

/* Waits for that: 0, or -1 with the reason, and it has been ended. */
int forker_await(struct forker *, struct buf *why);

/* Closes the channel, which ends it: it remains to be reaped. */
void forker_let_go(struct forker *);

/* Ends it, and reaps it. */
void forker_end(struct forker *);

#endif
