/*
 * Sessions that are there before their clients: each waits for the one client
 * that it is for. Fork servers make them (session/fork_server.h), one for
 * those that speak plainly and one for those that speak TLS.
 */
#ifndef BRIDLE_SPARES_H
#define BRIDLE_SPARES_H

#include "audit.h"
#include "buf.h"
#include "forker.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct spare {
	TAILQ_ENTRY(spare) entry;
	pid_t pid; /* 0: it was ordered, and is not forked yet */
	int ask;   /* our end of its channel */
};

struct spare_list {
	TAILQ_HEAD(, spare) head;
	unsigned n;
};

enum spares_kind { SPARES_PLAIN, SPARES_TLS, SPARES_KINDS };

/* Those of a kind, and where they come from. */
struct stock {
	struct forker forker;
	const char *speaks; /* for the log */
	bool wanted;
	char *host_key; /* the file, for the fork server of SPARES_TLS */
	struct spare_list ready;
	struct spare_list ordered; /* in this order */
	int failed;                /* errno of the last order; 0 */
	int64_t again;             /* no order before this */
	int64_t answer_by;         /* the fork server, if it has orders */
	/* No line about what fails, and about who dies, before these. */
	int64_t order_quiet, server_quiet, spare_quiet;
};

struct spares {
	struct stock of[SPARES_KINDS];
};

/*
 * There are none yet, and nothing is to be closed. `mute`: for a daemon that
 * lets go of its terminal once it serves.
 */
void spares_init(struct spares *, bool mute);

/*
 * Starts a fork server, and waits until it serves; with TLS it reads the host
 * key from that file. One that is there already stays. 0, or -1 with a line
 * in errors.
 */
int spares_start(struct spares *, enum spares_kind, const char *host_key,
	struct buf *errors);

/* Whether it has been started, and not stopped. */
bool spares_wanted(const struct spares *, enum spares_kind);

/* Whether somebody who comes now can be taken care of, or must be refused. */
bool spares_can_take(const struct spares *, enum spares_kind);

/*
 * Gives a client, of which the caller keeps its descriptor, to a spare, which
 * then is a session and the caller's. 0, or -1 with errno.
 */
int spares_take(
	struct spares *, enum spares_kind, int client, pid_t *pid, int *ask);

/* Forgets spares that are dead, up to the next that is not. */
void spares_bury(struct spares *, enum spares_kind);

/* Orders what is needed to have that many, and ends those beyond. */
void spares_order(struct spares *, unsigned n, int64_t now, struct audit *);

/* Something has ended: where there was no room for a spare, there may be. */
void spares_retry(struct spares *);

/* Reads what the fork server says, if anything. */
void spares_read(struct stock *, struct audit *);

/* Waits until it says something: 0, or -1 with errno. */
int spares_wait(
	struct spares *, enum spares_kind, int64_t deadline, struct audit *);

/*
 * If that child was a fork server or a spare, forgets it and returns true.
 * A fork server is started again, see spares_expire().
 */
bool spares_reaped(
	struct spares *, pid_t, int code, int status, struct audit *);

/* Starts a fork server in place of one that died; when to come again. */
void spares_expire(struct spares *, int64_t now, struct audit *);
int64_t spares_deadline(const struct spares *, int64_t now);

/* Ends and reaps those of a kind that is not needed any more; or all. */
void spares_stop(struct spares *, enum spares_kind);
void spares_close(struct spares *);

#endif
