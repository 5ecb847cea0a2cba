/*
 * The state of the parent: its settings, children, connections and counters.
 */
#ifndef BRIDLE_STATE_H
#define BRIDLE_STATE_H

#include "action/action.h"
#include "config/effective.h"
#include "config/load_child.h"
#include "config/settings.h"
#include "events/event_history.h"
#include "net/account_lookup.h"
#include "net/group_lookup.h"
#include "net/listener.h"
#include "net/penalty_table.h"
#include "net/reject.h"
#include "net/sd_notify.h"
#include "net/waiting.h"
#include "pool/session_pool.h"
#include "request/sessions.h"
#include "sys/logger.h"
#include "sys/ratelimit.h"

#include <stdint.h>
#include <time.h>

/*
 * The counters that the verb `status` shows. Each counter begins with 0 at the
 * start of the daemon.
 */
struct counters {
	uint64_t connections;
	/* connections that were refused, and got no session */
	uint64_t refused;
	uint64_t requests;
	/* requests that the policy refused with status 401 or 403 */
	uint64_t denied;
	uint64_t malformed;
	uint64_t failed;          /* requests that failed with status 500 */
	uint64_t handshakes;      /* failed TLS handshakes */
	uint64_t without_request; /* sessions that ended without a request */
	uint64_t timeouts;
	uint64_t crashes;
	uint64_t reloads;
	uint64_t bad_reloads;
};

struct parent {
	pid_t pid;
	struct settings *settings;
	struct logger *logger;
	struct listeners listeners;
	struct session_pool pools[SESSION_POOL_KINDS];
	struct sessions sessions;
	struct request_rates rates;
	unsigned nsessions;
	uint64_t last_session; /* number of the newest session */
	int hangups; /* descriptor that reports the hang-ups of clients */
	/*
	 * largest number of simultaneous sessions since the daemon last had no
	 * session
	 */
	unsigned rush;
	struct actions actions;
	unsigned nactions;
	struct group_lookups group_lookups;
	struct accounts accounts;
	struct rejected rejected;
	/* clients of unix sockets that wait for a session */
	struct waiting waiting;
	struct history history;
	unsigned nsubscribers;      /* number of sessions that watch */
	struct penalties penalties; /* penalties of sources, see penalize.h */
	struct counters counters;
	struct effective effective;
	struct load_child load;
	const char *conf_folder; /* path of the folder conf.d */
	/* the running load of the settings has replaced an earlier load */
	bool load_replaced;
	/* load the settings once more after the running load */
	bool load_again;
	/* time of the next look for expired entries, see expiry.h */
	int64_t expiry_next;
	int64_t expiry_looked; /* clock_real_ms() of the last look */
	int diag;              /* sock_diag(7) socket, or -1 */
	struct sd_notify sd_notify;
	int64_t started;
	/*
	 * start time of the daemon in ms; a part of request ids and of places
	 * in the event history
	 */
	uint64_t run;
	uint64_t last_id;   /* number of the last request */
	uint64_t last_turn; /* number of the last queued run */
	/* earliest time of the next accept(2) after an error */
	int64_t accept_again;
	struct ratelimit accept_log;
	bool stopping;
	/*
	 * time until which a stopping daemon still serves the first request of
	 * a session
	 */
	int64_t stop_grace;
	int64_t stop_deadline;
	/*
	 * The message that is being handled. This large member is last, because
	 * most of its pages are never written.
	 */
	struct privsep_inbound message;
};

#endif
