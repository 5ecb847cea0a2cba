/*
 * The options of the command line. Each option has one row. An option has the
 * same name, letter and meaning in all commands.
 */
#ifndef BRIDLE_OPTIONS_H
#define BRIDLE_OPTIONS_H

#include "buf.h"
#include "cli/arg_kind.h"

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
	OPT_ALLOW_TRUNCATED,
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
	OPT_NAME,
	OPT_ALLOW,
	OPT_FROM,
	OPT_UNTIL,
	OPT_LISTEN,
	OPT_ADD_KEY,
	OPT_DROP_OLD,
	OPT_REPLACE,
	OPT_GROUP,
	OPT_VIA,
	OPT_SECONDS,
	OPT_ADD,
	OPT_INTERFACE,
	OPT_LEARN,
	OPT_HELP,
	OPT_VERSION,
	/* number of options; at most 64, because option_set has 64 bits */
	OPT_COUNT
};

/*
 * A set of options. The value is the bitwise OR of OPT_BIT(…) of each option.
 */
typedef uint64_t option_set;

#define OPT_BIT(n) ((option_set)1 << (n))

/* Options of every command that sends requests to daemons. */
#define OPT_REMOTE                                                    \
	(OPT_WHERE | OPT_TLS | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_RAW) | \
		OPT_BIT(OPT_TIMEOUT) | OPT_FANNED)
/* Options that select the hosts. */
#define OPT_WHERE \
	(OPT_BIT(OPT_HOSTS) | OPT_BIT(OPT_EXCLUDE) | OPT_BIT(OPT_HOSTS_FILE))
/* Options for many hosts. */
#define OPT_FANNED                                                  \
	(OPT_BIT(OPT_FANOUT) | OPT_BIT(OPT_CONNECT_TIMEOUT) |       \
		OPT_BIT(OPT_TOTAL_TIMEOUT) | OPT_BIT(OPT_ORDERED) | \
		OPT_BIT(OPT_GATHER))
/*
 * Options for many hosts. Only commands that change something have these
 * options.
 */
#define OPT_STAGED                                                             \
	(OPT_BIT(OPT_BATCH) | OPT_BIT(OPT_PAUSE) | OPT_BIT(OPT_MAX_FAILURES) | \
		OPT_BIT(OPT_RESUME))
/* Options about keys. */
#define OPT_TLS                                             \
	(OPT_BIT(OPT_IDENTITY) | OPT_BIT(OPT_FINGERPRINT) | \
		OPT_BIT(OPT_ACCEPT_NEW))
/* Options of commands that run until ^C. Such commands have no --timeout. */
#define OPT_WATCHING (OPT_WHERE | OPT_TLS | OPT_BIT(OPT_CONNECT_TIMEOUT))
/* Options that are also valid without a command. */
#define OPT_ALWAYS (OPT_BIT(OPT_HELP) | OPT_BIT(OPT_VERSION))

struct option_row {
	const char *name; /* name without the two dashes */
	char letter;      /* letter after a single dash; 0: none */
	/*
	 * The name of the value in --help. NULL: the option takes no value. If
	 * the name is in brackets, the value is a number and may be omitted.
	 */
	const char *value;
	const char *help;
};

extern const struct option_row option_rows[OPT_COUNT];

/*
 * The kind of each option's value. If an option takes no value, its kind is
 * zeroed.
 */
extern const struct arg_spec option_values[OPT_COUNT];

/*
 * Return the number of the option with this name, or -1 if no option has this
 * name. An unambiguous abbreviation of a name is allowed.
 */
int options_by_name(const char *name, size_t len);

/*
 * Return the number of the option with this letter, or -1 if no option has this
 * letter.
 */
int options_by_letter(int letter);

struct options {
	option_set given;
	const char *values[OPT_COUNT];
};

/*
 * Read all options before a "--", and move the options to the front of argv.
 * Return the index of the first argument that is not an option. On failure,
 * return -1 with a sentence appended to error.
 */
int options_parse(int argc, char **argv, struct options *, struct buf *error);

/*
 * Set *out to the number that is the option's value. If the option has no
 * value, leave *out unchanged. Returns 0. If the value is not a number from
 * `least` to `most`, returns -1 with a sentence appended to error.
 */
int options_number(const struct options *, enum option_number, long least,
	long most, unsigned *out, struct buf *error);

/* Set the option and its value, as if the command line contained them. */
static inline void
options_set(struct options *o, enum option_number n, const char *value)
{
	o->given |= OPT_BIT(n);
	o->values[n] = value;
}

/* True if the option's value may be omitted. */
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
