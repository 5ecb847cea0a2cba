/*
 * The sessions as the parent sees them: their states, deadlines and ends.
 */
#ifndef BRIDLE_SESSIONS_H
#define BRIDLE_SESSIONS_H

#include "action/action.h"
#include "net/peer.h"
#include "privsep.h"
#include "request/request_rate.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

struct parent;
struct session_pool;

/* maximum milliseconds until the session takes its client */
#define SESSION_TAKE_MS 2000
#define SESSION_NAME_SIZE 65 /* enough bytes for the name of any client */

/*
 * The states of a session, as the parent sees them.
 *
 *     NEW, IDLE, WRITING -- request -----> LOOKUP, QUEUED, ACTING or WATCHING
 *     LOOKUP ------------- groups -------> QUEUED, ACTING or WATCHING
 *     QUEUED ------------- its turn -----> ACTING
 *     ACTING ------------- action ends --> WRITING
 *     WATCHING ----------- done ---------> WRITING
 *     WRITING ------------ done ---------> IDLE; NEW if no client is known
 *     any ---------------- its end ------> ENDING, until it is reaped
 *
 * If the parent itself makes the reply, the request leads to WRITING.
 */
enum session_state {
	SESSION_NEW,  /* the client is not known yet; limit: login_seconds */
	SESSION_IDLE, /* the session waits for a request; limit: idle_seconds */
	/* a request waits for the look-up of the user's groups */
	SESSION_LOOKUP,
	SESSION_QUEUED, /* a request waits for earlier runs of its command */
	SESSION_ACTING, /* an action runs */
	/* the client watches events; limit: the next heartbeat */
	SESSION_WATCHING,
	SESSION_WRITING, /* the reply is on its way to the client */
	SESSION_ENDING   /* the session must end */
};

/*
 * The events that a subscriber has requested, and the number of the last event
 * that was sent.
 */
struct subscriber {
	uint64_t sent;   /* number of the last event that was sent or skipped */
	unsigned events; /* requested events: EVENT_BIT(…), or-ed */
	char name[65];   /* client whose events are sent; "" for all clients */
	/* the subscriber has lost events; its watch ends with status 408 */
	bool slow;
	/* the watch is ending: `status` follows after the last event */
	bool ending;
	struct buf status;
	char id[24]; /* id of the watch request */
	/* number of consecutive heartbeats for which the channel had no room */
	unsigned missed;
};

struct session {
	TAILQ_ENTRY(session) entry;
	/* number that no other session has had since the start of the daemon */
	uint64_t number;
	/* process id, or 0 while the client waits for a spare session */
	pid_t pid;
	/*
	 * channel to the session; -1 if closed, but the process is not reaped
	 * yet
	 */
	int channel;
	/*
	 * session's end of the channel until the session has taken its client,
	 * or -1
	 */
	int remote;
	/* client's socket until the session's first message, or -1 */
	int client;
	int64_t take_by;  /* deadline for the session to take its client */
	int64_t renew_at; /* earliest time of the next grant of CPU time */
	/* session pool that the process comes from */
	struct session_pool *pool;
	enum session_state state;
	int64_t deadline;
	/* deadline for the first request of a known client */
	int64_t login_deadline;
	bool known; /* the policy has found the client */
	bool begun; /* the client has sent the beginning of a line */
	char name[SESSION_NAME_SIZE]; /* name of the last known client, or "" */
	const char *transport;        /* "unix", "tcp" or "tls" */
	time_t since;
	int64_t asked; /* time of the last request, by clock_ms() */
	uint64_t requests;
	bool peer_due; /* the session must still report its TLS handshake */
	struct peer peer;
	struct peer_source source;
	/* request rate of the source; NULL if unlimited */
	struct request_rate *rate;
	int64_t gone_by; /* deadline for a session whose client has hung up */
	struct action *action; /* action that runs in SESSION_ACTING, or NULL */
	/* message that waits in SESSION_LOOKUP or SESSION_QUEUED; owned */
	struct privsep_inbound *held;
	/* position of a queued run in the order of all queued runs, or 0 */
	uint64_t turn;
	/* events of the client in SESSION_WATCHING, or NULL; owned */
	struct subscriber *subscriber;
	bool online; /* the client is reported as online */
	/* the parent has killed the session, so its death is not logged */
	bool killed;
};

TAILQ_HEAD(sessions, session);

/*
 * Send lines to the session in a message of this kind. Return 0, or -1 with
 * errno.
 */
int session_send(
	const struct session *, enum privsep_kind, const struct buf *lines);

/*
 * Send bytes of a reply to the session: the whole reply (PRIVSEP_REPLY), or its
 * last part (PRIVSEP_EXITED). If the send fails, lose or kill the session.
 */
void session_reply(struct parent *, struct session *, enum privsep_kind,
	const struct buf *);

/*
 * Tell the session to end. If `code` is not 0, the session first sends this
 * status to the client. `rule` may be NULL or "". The status of a watch has the
 * id of its request.
 */
void session_end(
	struct session *, int code, const char *text, const char *rule);

/*
 * Set a deadline for the session to end by itself. sessions_expire() kills a
 * session that is too late.
 */
void session_leaves(struct session *);

/*
 * Mark the session as online or offline. Publish the change as an event, unless
 * another session of the same client and source is online.
 */
void session_set_online(struct parent *, struct session *, bool online);

/*
 * Return the number of running actions of a source, including actions whose
 * clients have left.
 */
unsigned sessions_count_actions(
	const struct parent *, const struct peer_source *);

/*
 * True if limits.actions and limits.sessions_per_source allow one more action
 * of this session. Root at a unix socket is exempt from both limits.
 */
bool session_may_act(const struct parent *, const struct session *);

/* Free the subscriber of the session, if the session watches. */
void session_unsubscribe(struct parent *, struct session *);

/*
 * Close the channel of a session that has ended or must end, and end its
 * action. The session is freed when it is reaped.
 */
void session_lose(struct parent *, struct session *);

/* Grant more CPU time to a session that has sent a message. */
void session_renew_cpu(struct session *);

/*
 * Close the client's socket and the session's end of the channel in the parent.
 * Call this after the session's first message, because the session then has its
 * own descriptors.
 */
void session_has_client(struct session *);

/*
 * Apply the request rate of the session's source to the session. Root at a unix
 * socket is exempt. If memory has run out, kill the session.
 */
void session_join_rate(struct parent *, struct session *);

/* True if the rate limit allows the session to send a message now. */
bool session_may_send(const struct session *, int64_t now);

/*
 * Set a deadline for the session with this number, whose client has hung up.
 * The session sees the hang-up too, and should end. If the session does not
 * end, for example because it is stopped, sessions_expire() kills it.
 */
void session_hung_up(struct parent *, uint64_t number);

/* Kill the session's process, and call session_lose(). */
void session_kill(struct parent *, struct session *);

/*
 * End or kill the sessions whose deadlines have passed. Return the next
 * deadline of all sessions. dispatch_expire() does this for sessions that look
 * up groups, and subscribers_expire() does this for sessions that watch.
 */
int64_t sessions_expire(struct parent *, int64_t now);

/*
 * Free the session of a reaped child. If the session had not taken its client,
 * give the client to a spare session. Return false if the child is not a
 * session.
 */
bool sessions_reaped(struct parent *, pid_t, int code, int status);

#endif
