/*
 * Requests of clients: functions that parse a line into a checked struct, and
 * format a struct as a line. No I/O.
 */
#ifndef BRIDLE_REQUEST_H
#define BRIDLE_REQUEST_H

#include "buf.h"
#include "verbs.h"

#include <stdbool.h>
#include <stddef.h>

#define REQUEST_WAIT_MAX 600 /* maximum of wait=, in seconds */
/* default of wait= in seconds if escalate= is set */
#define REQUEST_WAIT_DEFAULT 5
#define REQUEST_MINUTES_MAX 10080 /* maximum of when=+MINUTES: a week */
#define REQUEST_MESSAGE_MAX 200   /* maximum bytes of message= */
#define REQUEST_TEXT_MAX 1000     /* maximum bytes of the text of `say` */
#define REQUEST_REASON_MAX 160
/* value that asks for the host's own MAC addresses */
#define REQUEST_MAC_OWN "own"
#define REQUEST_ARGS_MAX 13 /* maximum number of arguments in a line */

/*
 * The strings of a request. An absent string is NULL, and no string is empty.
 */
enum request_string {
	REQUEST_NAME,    /* name of a process or command; pattern of `list` */
	REQUEST_USER,    /* name of a user, or decimal uid */
	REQUEST_ONLY,    /* tokens of processes, separated by commas */
	REQUEST_WHEN,    /* time: now, +MINUTES (0 to a week) or HH:MM */
	REQUEST_MESSAGE, /* printable UTF-8 that does not begin with a dash */
	REQUEST_TEXT,    /* text of `say`, in printable UTF-8 */
	REQUEST_TO,      /* name or source of the recipients of `say` */
	REQUEST_EVENTS,  /* kinds of events, separated by commas */
	REQUEST_MAC,     /* MAC address of the machine to wake, or "own" */
	REQUEST_SINCE,   /* start of a watch: RUN-NUMBER or NUMBER */
	REQUEST_STRINGS
};

/*
 * An argument of `run`. If the command has an argument with the name "unit",
 * the text "unit=nginx" sets this argument. All other texts set arguments by
 * their position. Only the daemon knows the names of a command's arguments.
 */
struct request_arg {
	const char *text;
	size_t named; /* length of the name before '=', 0 if there is no name */
};

struct request {
	enum verb_number verb;
	bool explain; /* true to reply only with the policy's decision */
	bool dry_run;
	bool wall;     /* true if `say` also writes to the terminals of users */
	int signal;    /* number of the signal that a kill sends */
	int escalate;  /* number of the second signal of a kill; 0 for none */
	unsigned wait; /* seconds that a kill waits for the processes to end */
	int mode;      /* mode of a halt: a value of enum halt_mode */
	const char *strings[REQUEST_STRINGS];
	size_t nargs; /* number of arguments of `run` */
	struct request_arg args[REQUEST_ARGS_MAX];
};

struct request_error {
	int code;   /* code of the status line, such as 400 */
	bool close; /* true to end the connection after the status */
	char reason[REQUEST_REASON_MAX];
};

/* Fill in a request of this verb with the default values. */
void request_init(struct request *, enum verb_number);

/*
 * Parse one line (without LF or CR LF) in place. The strings of the request
 * point into the line, and line[len] must be writable. `ended` is true if the
 * line ended with LF. Return 0, or -1 with the error filled in.
 */
int request_parse(char *line, size_t len, bool ended, struct request *,
	struct request_error *);

/*
 * True if request_parse() could produce this request. A process calls this
 * function to check a request from another process that is not trusted.
 */
bool request_valid(const struct request *);

/* Append the request as a line, without LF. */
void request_format(const struct request *, struct buf *);

/*
 * Append the fields that follow the verb, as text for a log. An example is
 * "firefox#signal=KILL".
 */
void request_arguments(const struct request *, struct buf *);

/* True if the text is not empty, and is valid as this string of a request. */
bool request_string_valid(enum request_string, const char *);

/*
 * Return the length of the name before the first '='. Return 0 if there is no
 * valid name before a '='. A name begins with a lower-case letter. Lower-case
 * letters, digits, "_" and "-" may follow.
 */
size_t request_arg_name(const char *, size_t len);

#endif
