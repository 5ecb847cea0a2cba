/*
 * The log. The daemon writes lines to a non-blocking pipe. A child of the
 * daemon, the logger, reads the lines and calls syslog(3). The daemon therefore
 * never blocks if the log does not answer. Lost lines are counted, and their
 * number is logged when the pipe has room again.
 */
#ifndef BRIDLE_LOGGER_H
#define BRIDLE_LOGGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <syslog.h>

struct logger;

/*
 * Fork the logger. If `to_stderr` is true, the logger writes to standard error
 * instead of syslog(3). Lines less urgent than `level` are not logged. Return
 * the new log, or NULL with errno on failure.
 */
struct logger *logger_open(int facility, int level, bool to_stderr);

/*
 * Set the facility and the level of later lines. The caller does this after
 * each reload.
 */
void logger_configure(struct logger *, int facility, int level);

/* True if lines of this priority are urgent enough for the level of the log. */
bool logger_logs(const struct logger *, int priority);

/* Log one line, with unsafe characters escaped. This function never blocks. */
void logger_log(struct logger *, int priority, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

enum logger_verdict { LOGGER_ALLOWED, LOGGER_REFUSED, LOGGER_MALFORMED };

extern const char *const logger_verdict_names[];

/*
 * The data for the log line of a request. The functions that handle the request
 * fill in each member.
 */
struct logger_request {
	char id[24];
	int64_t started; /* clock_ms() at the start of the request */
	/* number of the verb; 0 if the line was not a valid request */
	int verb;
	bool explain;
	bool acted;       /* true if an action was started for the request */
	bool secret;      /* true to hide the arguments from other clients */
	bool said;        /* true if the request was a `say` */
	unsigned reached; /* number of subscribers that received a `say` */
	/* name of the client's entry in `clients`; "" if none */
	char client[65];
	char source[96];
	const char *transport; /* name of the transport, a constant text */
	char args[512];
	char rule[128];
	enum logger_verdict verdict;
	/* verbs that the client is allowed to use: VERB_BIT(…), or-ed */
	uint64_t verbs;
	char end[24]; /* result of a `run`, such as "exit=3"; "" if unknown */
};

/* Return the priority of the log line for a request with this status code. */
int logger_priority(int code);

/*
 * Log one line for a finished request. If the request started no action (for
 * example a `ping`), its line is lost while half of the pipe is full. The other
 * half of the pipe thus stays free for other lines.
 */
void logger_request(struct logger *, const struct logger_request *, int code,
	const char *text);

/*
 * Return the number of lost lines. A line is lost if the pipe is full, if the
 * logger dies, or if no program listens at the socket of the log.
 */
uint64_t logger_lost(const struct logger *);

/* Return the file descriptor that a child needs to write to the log. */
int logger_fd(const struct logger *);

/*
 * Replace the descriptor that logger_fd() returns by `fd`. A child calls this
 * after it has moved the descriptor with dup2(2).
 */
void logger_moved(struct logger *, int fd);

/*
 * True if the reaped child was the logger. A later call of logger_expire() then
 * starts a new logger.
 */
bool logger_reaped(struct logger *, pid_t);

/*
 * If the logger has died and the pause before a restart is over, start a new
 * logger. Return the next deadline, or CLOCK_NEVER.
 */
int64_t logger_expire(struct logger *, int64_t now);

/*
 * Close the log. Wait at most one second until the logger has written the last
 * lines, and free all memory. The argument may be NULL.
 */
void logger_close(struct logger *);

#endif
