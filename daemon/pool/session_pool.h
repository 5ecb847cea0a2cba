/*
 * The session pools. A pool has spare sessions, which are forked before their
 * clients connect. Each session serves one client. One fork server
 * (session/fork_server.h) forks the sessions without TLS. Another fork server
 * forks the sessions with TLS.
 */
#ifndef BRIDLE_SESSION_POOL_H
#define BRIDLE_SESSION_POOL_H

#include "buf.h"
#include "pool/fork_client.h"
#include "sys/logger.h"
#include "sys/ratelimit.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

struct spare_session {
	TAILQ_ENTRY(spare_session) entry;
	pid_t pid;   /* process ID; 0 until the session has been forked */
	int channel; /* parent's end of the channel to the session */
	/* session's end of the channel, kept to take back a client */
	int remote;
};

struct spare_list {
	TAILQ_HEAD(, spare_session) head;
	unsigned n;
};

enum session_pool_kind {
	SESSION_POOL_PLAIN,
	SESSION_POOL_TLS,
	SESSION_POOL_KINDS
};

/*
 *            start             hello
 *     OFF --------> STARTING --------> SERVING
 *      ^               ^ \                |
 *      | stop          |  \ fails,        | ends or is silent
 *      |               |   \ is silent    |
 *     any              |    `-> ENDING <--'
 *                      |           | reaped
 *                      `-- DOWN <--'
 */
enum session_pool_state {
	SESSION_POOL_OFF,  /* no listener needs this pool */
	SESSION_POOL_DOWN, /* the fork server will start at the deadline */
	/* the hello message must arrive before the deadline */
	SESSION_POOL_STARTING,
	/* an order must be carried out before the deadline */
	SESSION_POOL_SERVING,
	SESSION_POOL_ENDING /* the fork server is killed at the deadline */
};

/* The spare sessions of one kind, and the fork server that forks them. */
struct session_pool {
	struct fork_client fork_client;
	enum session_pool_state state;
	int64_t deadline;
	const char *speaks; /* "plain" or "TLS", for log messages */
	char *host_key;     /* file name of the host key; NULL without TLS */
	struct spare_list ready;
	struct spare_list ordered; /* ordered sessions, oldest order first */
	int error;           /* errno value of the last failure; 0 if none */
	int64_t order_again; /* earliest clock_ms() of the next order */
	struct ratelimit failure_log, server_log, spare_log;
};

/*
 * The functions session_pools_*() take an array of SESSION_POOL_KINDS pools.
 *
 * session_pools_init() sets up empty pools without fork servers. `mute` is true
 * if the daemon leaves its terminal when it has started.
 */
void session_pools_init(struct session_pool *, bool mute);

/*
 * Start the pool's fork server, and wait until it is ready. `host_key` is the
 * file name of the host key, or NULL for the pool without TLS. If the pool is
 * not in the state SESSION_POOL_OFF, do nothing. Return 0, or -1 with a line in
 * `errors`.
 */
int session_pool_start(
	struct session_pool *, const char *host_key, struct buf *errors);

/* True if the pool has been started, and has not been stopped since. */
bool session_pool_wanted(const struct session_pool *);

/*
 * True if the caller can call session_pool_take() now for a new client. This is
 * true if more than `reserved` spare sessions are ready, or the pool has
 * failed. Otherwise, the client must wait.
 */
bool session_pool_can_take(const struct session_pool *, unsigned reserved);

/*
 * Send the client's socket to a spare session, and move the session to `taken`.
 * The caller then owns the session's two descriptors, and still owns `client`.
 * Return 0, or -1 with errno.
 *
 * The chosen session may be stopped or dead. privsep_take_client() can then
 * take the client back, if the session has not received the client and `remote`
 * is still open.
 */
int session_pool_take(
	struct session_pool *, int client, struct spare_session *taken);

/*
 * Allow the session SESSION_CPU_SECONDS of CPU time from now on. If the session
 * uses more CPU time, the kernel kills the session with SIGXCPU.
 */
#define SESSION_CPU_SECONDS 10
void session_pool_limit_cpu(pid_t);

/*
 * Keep about `n` spare sessions in each pool. If at most half of `n` are ready
 * or ordered, order new sessions. If more than `n` are ready, end the surplus
 * sessions.
 */
void session_pools_order(
	struct session_pool *, unsigned n, int64_t now, struct logger *);

/*
 * Kill the spare sessions that are stopped, for example by SIGSTOP. Call this
 * if a session has not taken its client, because other sessions can be stopped
 * too.
 */
void session_pool_drop_stopped(struct session_pool *);

/*
 * After a failed order, allow the next order without a pause. The caller does
 * this when a process has ended, because a new spare session can perhaps be
 * forked now.
 */
void session_pools_retry(struct session_pool *);

/* Read the fork server's messages, without blocking. */
void session_pool_read(struct session_pool *, struct logger *);

/*
 * Wait until the deadline for a message of the fork server, and read the
 * message. Return 0, or -1 if no message can arrive or the time is over.
 */
int session_pool_wait(struct session_pool *, int64_t deadline, struct logger *);

/*
 * True if the reaped child was a fork server or a spare session. A spare
 * session is removed from its pool. A fork server is started again by
 * session_pools_expire().
 */
bool session_pools_reaped(
	struct session_pool *, pid_t, int code, int status, struct logger *);

/*
 * Restart fork servers that have died, and kill fork servers that do not answer
 * in time. Return the next deadline, or CLOCK_NEVER.
 */
int64_t session_pools_expire(
	struct session_pool *, int64_t now, struct logger *);

/*
 * Kill and reap the fork server and the spare sessions of one pool, or of all
 * pools.
 */
void session_pool_stop(struct session_pool *);
void session_pools_close(struct session_pool *);

#endif
