/*
 * The verbs of the protocol. A row (struct verb) holds the properties of one
 * verb.
 */
#ifndef BRIDLE_VERBS_H
#define BRIDLE_VERBS_H

#include <stdbool.h>

enum verb_number {
	VERB_HALT = 1,
	VERB_LIST,
	VERB_KILL,
	VERB_PING,
	VERB_RUN,
	VERB_CANCEL,
	VERB_STATUS,
	VERB_WHO,
	VERB_WATCH,
	VERB_SAY,
	VERB_VERBS,
	VERB_EXPLAIN,
	VERB_WAKE,
	VERB_LAST = VERB_WAKE
};

#define VERB_BIT(n) (1u << (n))
#define VERB_ALL (((1u << (VERB_LAST + 1)) - 1) & ~1u)

/*
 * The key=value fields of a request. A verb's row has the bits of the fields
 * that the verb takes.
 */
enum verb_option {
	OPTION_NAME = 1 << 0,
	OPTION_USER = 1 << 1,
	OPTION_SIGNAL = 1 << 2,
	OPTION_WAIT = 1 << 3,
	OPTION_ESCALATE = 1 << 4,
	OPTION_ONLY = 1 << 5,
	OPTION_MODE = 1 << 6,
	OPTION_WHEN = 1 << 7,
	OPTION_MESSAGE = 1 << 8,
	OPTION_DRY_RUN = 1 << 9,
	OPTION_EVENTS = 1 << 10,
	OPTION_SINCE = 1 << 11,
	OPTION_TO = 1 << 12,
	OPTION_WALL = 1 << 13
};

struct verb {
	enum verb_number number;
	const char *name;
	unsigned args;    /* number of positional fields, all required */
	unsigned options; /* bits of enum verb_option */
	bool changes;     /* true if a request without its LF must do nothing */
	const char *const *columns; /* columns of the reply's table, or NULL */
};

/*
 * Return the row of the verb with this number; NULL if there is no such verb.
 */
const struct verb *verb_by_number(long number);

/*
 * Names of the columns of each verb's table, in the order of
 * bridle-protocol(7). Each list ends with NULL.
 */
extern const char *const verb_list_columns[];
extern const char *const verb_kill_columns[];
extern const char *const verb_status_columns[];
extern const char *const verb_who_columns[];
extern const char *const verb_watch_columns[];
extern const char *const verb_verbs_columns[];
extern const char *const verb_explain_columns[];
/* columns of the reply to a request to wake "own" */
extern const char *const verb_wake_columns[];

/*
 * True if a column with this name holds whole numbers. A column name has the
 * same meaning in all tables.
 */
bool verb_column_is_number(const char *name);

/* Status text of a kill if the request's tokens match no process any more. */
#define KILL_NONE "none of these processes is there any more"

/*
 * HALT_SUSPEND and the modes after it keep the content of the machine's memory.
 */
enum halt_mode {
	HALT_HALT,
	HALT_POWEROFF,
	HALT_REBOOT,
	HALT_SUSPEND,
	HALT_HIBERNATE,
	HALT_MODES
};

/*
 * True if the mode suspends or hibernates the machine. Such a halt is always
 * immediate, because systemd-logind cannot schedule it.
 */
static inline bool
halt_mode_sleeps(int mode)
{
	return mode >= HALT_SUSPEND;
}

/* Names of the modes of a halt; ends with NULL. */
extern const char *const halt_mode_names[HALT_MODES + 1];

#endif
