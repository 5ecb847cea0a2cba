/*
 * The parent's side of sessions: their state, deadlines and ends.
 */
#ifndef BRIDLE_SESSIONS_H
#define BRIDLE_SESSIONS_H

#include "actions.h"
#include "ask.h"
#include "identity.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

struct parent;

#define SESSION_NAME_SIZE 65 /* that names of clients fit into */

enum session_state {
	SESSION_NEW,      /* the policy has found no client: login_seconds */
	SESSION_IDLE,     /* idle_seconds */
	SESSION_LOOKUP,   /* its question waits for its groups */
	SESSION_QUEUED,   /* its question waits for a command's other runs */
	SESSION_ACTING,   /* an action runs for it */
	SESSION_WATCHING, /* its next heartbeat */
	SESSION_WRITING,  /* the answer is on its way to the client */
	SESSION_ENDING    /* was told to go */
};

struct session {
	TAILQ_ENTRY(session) entry;
	pid_t pid;
	int ask; /* -1: it is gone, but not reaped yet */
	enum session_state state;
	int64_t deadline;
	int64_t login_deadline; /* until the policy has found its client */
	bool known;             /* it has */
	char name[SESSION_NAME_SIZE]; /* of the client that it found last */
	const char *transport;        /* "unix", "tcp" or "tls" */
	time_t since;
	int64_t asked; /* clock_ms() of its last request */
	uint64_t requests;
	bool peer_due; /* TLS: who came is not known yet */
	struct identity who;
	struct identity_source source;
	struct action *action;         /* SESSION_ACTING */
	struct ask_question *question; /* LOOKUP, QUEUED; owned */
	uint64_t turn; /* of a run that others have kept waiting; else 0 */
	struct watch *watch; /* SESSION_WATCHING; owned */
	bool online;         /* those who watch know of it */
	bool killed;         /* by us: not worth a line */
};

TAILQ_HEAD(sessions, session);

/*
 * Sends bytes as the whole answer to what it asked (ASK_ANSWER) or as the
 * last part of it (ASK_EXITED).
 */
void session_answer(
	struct parent *, struct session *, enum ask_kind, const struct buf *);

/* Tells it to write the status, if any, and go. */
void session_end(struct session *, int code, const char *text);

/* It has said that it will go by itself, soon. */
void session_leaves(struct session *);

/* Its end of the channel is closed: all that is left to do is reap it. */
void session_lose(struct parent *, struct session *);

/* It does not obey: it is killed. */
void session_kill(struct parent *, struct session *);

/* Ends those whose time is over; when the next one's will be. */
void sessions_expire(struct parent *, int64_t now);
int64_t sessions_deadline(const struct parent *);

/* If that child was a session, forgets it and returns true. */
bool sessions_reaped(struct parent *, pid_t, int code, int status);

#endif
