/*
 * The parent: it listens, decides, forks actions and reaps, and parses no
 * stream.
 */
#ifndef BRIDLE_PARENT_H
#define BRIDLE_PARENT_H

#include "actions.h"
#include "audit.h"
#include "history.h"
#include "in_force.h"
#include "listener.h"
#include "lookups.h"
#include "notify.h"
#include "penalties.h"
#include "refusals.h"
#include "sessions.h"
#include "settings.h"
#include "spares.h"

#include <stdint.h>
#include <time.h>

/* What status shows; all since the start. */
struct counters {
	uint64_t connections;
	uint64_t refused; /* at accept */
	uint64_t requests;
	uint64_t denied; /* 401 and 403 by the policy */
	uint64_t malformed;
	uint64_t failed;     /* 500 */
	uint64_t handshakes; /* that failed */
	uint64_t timeouts;
	uint64_t crashes;
	uint64_t reloads;
	uint64_t bad_reloads;
};

struct parent {
	pid_t pid;
	struct settings *settings;
	struct audit *audit;
	struct listeners listeners;
	struct spares spares;
	struct sessions sessions;
	unsigned nsessions;
	unsigned rush; /* the most there were since there were none */
	struct actions actions;
	unsigned nactions;
	struct lookups lookups;
	struct refusals refusals;
	struct history history;
	unsigned nwatches; /* sessions that watch, or have just done so */
	struct penalties penalties; /* abuse.h */
	struct counters counters;
	struct in_force in_force;
	int diag; /* the kernel's socket table */
	struct notify notify;
	int64_t started;
	uint64_t run;         /* when we began, in ms: in ids and places */
	uint64_t last_id;     /* of a request */
	unsigned untold;      /* records, since those who watch got some */
	uint64_t last_turn;   /* of those that wait for a command */
	int64_t accept_again; /* no accept before this, after an error */
	int64_t accept_log_again;
	bool stopping;
	int64_t stop_grace; /* until then first requests are served still */
	int64_t stop_deadline;
	/* The one being heard. Last: most of it is never written to. */
	struct ask_question question;
};

/*
 * Serves until SIGTERM or SIGINT. All is set up, `ready` (-1 without) gets
 * one byte when it serves, and is closed. Returns the exit status.
 */
int parent_run(struct parent *, int ready);

/*
 * Starts what the listeners of these settings need to have sessions. 0, or -1
 * with the reason in errors.
 */
int parent_start_spares(
	struct parent *, const struct settings *, struct buf *errors);

/* As many descriptors as the limits may need; the log tells if not. */
void parent_raise_descriptors(struct parent *);

#endif
