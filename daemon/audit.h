/*
 * The log. Lines go through a non-blocking pipe to a child that calls
 * syslog(3), so that a stuck log stops nothing; what is lost is counted, and
 * said with the next line that finds room.
 */
#ifndef BRIDLE_AUDIT_H
#define BRIDLE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>

struct audit;

/*
 * Forks the logger. With to_stderr it writes there instead of to syslog(3).
 * Lines less urgent than `level` are not logged. NULL with errno.
 */
struct audit *audit_open(int facility, int level, bool to_stderr);

/* New settings; to be called after a reload. */
void audit_configure(struct audit *, int facility, int level);

/* Whether lines of this priority are logged at all. */
bool audit_logs(const struct audit *, int priority);

/* One line; unsafe characters in it are escaped. Never blocks. */
void audit_log(struct audit *, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

enum audit_verdict { AUDIT_ALLOWED, AUDIT_REFUSED, AUDIT_MALFORMED };

extern const char *const audit_verdict_names[];

/* What the log says of a request; filled in as it becomes known. */
struct audit_request {
	char id[24];
	int64_t started; /* clock_ms() */
	int verb;        /* 0: it was no request */
	bool explain;
	bool acted;  /* something was started for it */
	bool secret; /* nobody is to see its arguments */
	bool said;   /* a message, which has reached so many */
	unsigned reached;
	char client[65]; /* the entry of clients; "" if none */
	char source[96];
	const char *transport; /* constant text */
	char args[512];
	char rule[128];
	enum audit_verdict verdict;
	char end[24]; /* of a run: exit=3, signal=SEGV; "" if it has none */
};

/* How urgent the line for a request is that had this result. */
int audit_priority(int code);

/*
 * One line for a request that has come to its end. Where nothing was started,
 * as for a ping, it is lost sooner: so many can be made of those that no other
 * line would find room.
 */
void audit_request(struct audit *, const struct audit_request *, int code,
	const char *text);

/* Lines lost so far: no room in the pipe, or the log could not be reached. */
uint64_t audit_lost(const struct audit *);

/* The descriptor that a child must keep to be able to log. */
int audit_fd(const struct audit *);

/* The same log, in a child whose descriptor has moved. */
void audit_moved(struct audit *, int fd);

/* If that child was the logger, returns true; another is started when due. */
bool audit_reaped(struct audit *, pid_t);

/* Starts another logger, if it is time to. */
void audit_expire(struct audit *, int64_t now);
int64_t audit_deadline(const struct audit *);

/* Waits at most a second for the last lines to be written. NULL is allowed. */
void audit_close(struct audit *);

#endif
