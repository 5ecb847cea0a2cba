/*
 * A request: from its line to a checked struct, and back. No I/O.
 */
#ifndef BRIDLE_REQUEST_H
#define BRIDLE_REQUEST_H

#include "buf.h"
#include "verbs.h"

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_WAIT_MAX 600      /* seconds */
#define REQUEST_WAIT_DEFAULT 5    /* where escalate= comes without wait= */
#define REQUEST_MINUTES_MAX 10080 /* of when=+MINUTES: a week */
#define REQUEST_MESSAGE_MAX 200   /* bytes */
#define REQUEST_TEXT_MAX 1000     /* bytes */
#define REQUEST_REASON_MAX 160
#define REQUEST_ARGS_MAX 13 /* as many as a line has fields for */

/* The strings of a request; NULL where absent, "" is never stored. */
enum request_string {
	REQUEST_NAME, /* kill, watch: exact; list: a glob(7) pattern; run: which
		       */
	REQUEST_USER, /* a name or a decimal uid */
	REQUEST_ONLY, /* tokens, separated by commas */
	REQUEST_WHEN, /* now, +MINUTES or HH:MM */
	REQUEST_MESSAGE,
	REQUEST_TEXT,   /* say: what is said */
	REQUEST_TO,     /* say: to whom, by name or source */
	REQUEST_EVENTS, /* watch: kinds, separated by commas */
	REQUEST_SINCE,  /* watch: RUN-NUMBER or NUMBER */
	REQUEST_STRINGS
};

/*
 * An argument of run. Whether its command has one of that name is not known
 * here: if it has, "unit=nginx" is that one; else it is one by its place.
 */
struct request_arg {
	const char *text;
	size_t named; /* bytes before its '=', if they may be a name; else 0 */
};

struct request {
	enum verb_number verb;
	bool explain; /* do not do it: say whether it would be allowed */
	bool dry_run;
	bool wall;     /* say: on the terminals too */
	int signal;    /* kill: the number */
	int escalate;  /* kill: the second signal, 0 for none */
	unsigned wait; /* kill: seconds, 0 for not at all */
	int mode;      /* halt: enum halt_mode */
	const char *strings[REQUEST_STRINGS];
	size_t nargs; /* run: of the command */
	struct request_arg args[REQUEST_ARGS_MAX];
};

struct request_error {
	int code;   /* of the status that answers it */
	bool close; /* the connection cannot go on after it */
	char reason[REQUEST_REASON_MAX];
};

/* Clears and sets what a request of this verb says when it says nothing. */
void request_init(struct request *, enum verb_number);

/*
 * Parses one line (without LF or CR LF) in place: the strings of the request
 * point into it, and line[len] must be writable. `ended` tells whether the
 * line had its LF. Returns 0, or -1 with the error filled in.
 */
int request_parse(char *line, size_t len, bool ended, struct request *,
	struct request_error *);

/*
 * Whether each part is within its bounds, as request_parse() guarantees:
 * for a request that comes from a process one does not trust.
 */
bool request_valid(const struct request *);

/* Appends the line that stands for the request, without LF. */
void request_format(const struct request *, struct buf *);

/* Appends only what follows the verb ("firefox#signal=KILL"), for a log. */
void request_arguments(const struct request *, struct buf *);

/* Whether a string may stand there: not empty, and of the right form. */
bool request_string_valid(enum request_string, const char *);

/*
 * How many bytes before the first '=' are the name of an argument: a letter,
 * then letters, digits, "_" and "-", all of them small. 0 if they are none.
 */
size_t request_arg_name(const char *, size_t len);

/* now, +MINUTES (0 to a week) or HH:MM */
bool request_when_valid(const char *);

/* At most 1000 bytes of printable UTF-8. */
bool request_text_valid(const char *);

/* At most 200 bytes of printable UTF-8, no leading dash. */
bool request_message_valid(const char *);

#endif
