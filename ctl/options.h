/*
 * The options of the command line: one row tells all about one. What letter
 * and name mean is the same in every command that takes them.
 */
#ifndef BRIDLE_OPTIONS_H
#define BRIDLE_OPTIONS_H

#include "buf.h"
#include "value.h"

#include <stdbool.h>
#include <stdint.h>

enum option_number {
	OPT_USER,
	OPT_SORT,
	OPT_TREE,
	OPT_COLUMNS,
	OPT_SIGNAL,
	OPT_WAIT,
	OPT_ESCALATE,
	OPT_UP,
	OPT_DOWN,
	OPT_IN,
	OPT_AT,
	OPT_MESSAGE,
	OPT_DRY_RUN,
	OPT_YES,
	OPT_STDIN,
	OPT_EXIT_STATUS,
	OPT_TYPE,
	OPT_FORCE,
	OPT_HOW_MANY,
	OPT_FOLD,
	OPT_FORMAT,
	OPT_GROUPS,
	OPT_HOSTS,
	OPT_EXCLUDE,
	OPT_HOSTS_FILE,
	OPT_IDENTITY,
	OPT_FINGERPRINT,
	OPT_ACCEPT_NEW,
	OPT_JSON,
	OPT_RAW,
	OPT_TIMEOUT,
	OPT_FANOUT,
	OPT_CONNECT_TIMEOUT,
	OPT_TOTAL_TIMEOUT,
	OPT_ORDERED,
	OPT_GATHER,
	OPT_WATCH,
	OPT_BATCH,
	OPT_PAUSE,
	OPT_MAX_FAILURES,
	OPT_RESUME,
	OPT_EVENTS,
	OPT_CLIENT,
	OPT_TO,
	OPT_WALL,
	OPT_HELP,
	OPT_VERSION,
	OPT_COUNT
};

/* A set of options: OPT_BIT(…), or-ed. */
typedef uint64_t option_set;

#define OPT_BIT(n) ((option_set)1 << (n))

/* Those that every command takes which speaks to a daemon. */
#define OPT_REMOTE                                                    \
	(OPT_WHERE | OPT_TLS | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_RAW) | \
		OPT_BIT(OPT_TIMEOUT) | OPT_FANNED)
/* Of these, those that say which daemons. */
#define OPT_WHERE \
	(OPT_BIT(OPT_HOSTS) | OPT_BIT(OPT_EXCLUDE) | OPT_BIT(OPT_HOSTS_FILE))
/* Those that are for many of them. */
#define OPT_FANNED                                                  \
	(OPT_BIT(OPT_FANOUT) | OPT_BIT(OPT_CONNECT_TIMEOUT) |       \
		OPT_BIT(OPT_TOTAL_TIMEOUT) | OPT_BIT(OPT_ORDERED) | \
		OPT_BIT(OPT_GATHER))
/* Likewise, of commands that change something there. */
#define OPT_STAGED                                                             \
	(OPT_BIT(OPT_BATCH) | OPT_BIT(OPT_PAUSE) | OPT_BIT(OPT_MAX_FAILURES) | \
		OPT_BIT(OPT_RESUME))
/* Those that are about keys. */
#define OPT_TLS                                             \
	(OPT_BIT(OPT_IDENTITY) | OPT_BIT(OPT_FINGERPRINT) | \
		OPT_BIT(OPT_ACCEPT_NEW))
/* Those that may stand without any command. */
#define OPT_ALWAYS (OPT_BIT(OPT_HELP) | OPT_BIT(OPT_VERSION))

struct option_row {
	const char *name; /* without its two dashes */
	char letter;      /* 0: it has none */
	/* What its value is called; in brackets if it may be left out, and
	 * then it is a number. NULL: it takes none. */
	const char *value;
	const char *help;
};

extern const struct option_row option_rows[OPT_COUNT];

/* What the value of each may be; zeroed for those that take none. */
extern const struct value option_values[OPT_COUNT];

/*
 * The option of this name, which may be cut short where that is clear, or of
 * this letter; -1 if there is none.
 */
int options_by_name(const char *name, size_t len);
int options_by_letter(int letter);

struct options {
	option_set given;
	const char *values[OPT_COUNT];
};

/*
 * Reads all options, wherever they stand before a "--", and moves them to
 * the front of argv. Returns the index of the first argument that is not
 * one, or -1 with a sentence appended to error.
 */
int options_parse(int argc, char **argv, struct options *, struct buf *error);

/* Whether its value may be left out. */
static inline bool
options_optional(enum option_number n)
{
	return option_rows[n].value != NULL && *option_rows[n].value == '[';
}

static inline bool
options_given(const struct options *o, enum option_number n)
{
	return o->given & OPT_BIT(n);
}

#endif
