/*
 * The verbs of the protocol: one row tells all that is fixed about one verb.
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
	VERB_LAST = VERB_EXPLAIN
};

#define VERB_BIT(n) (1u << (n))
#define VERB_ALL (((1u << (VERB_LAST + 1)) - 1) & ~1u)

/* The key=value fields; a verb's row says which of them it takes. */
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
	unsigned args;    /* positional fields, all required */
	unsigned options; /* enum verb_option, or-ed */
	bool changes;     /* needs its LF: a cut request must do nothing */
	bool served;      /* by this version; else 501 */
	const char *const *columns; /* of its table, NULL if it has none */
};

/* NULL if there is no such verb. */
const struct verb *verb_by_number(long number);
const struct verb *verb_by_name(const char *name);

/* The columns of the tables, in the order of the wire; end with NULL. */
extern const char *const verb_list_columns[];
extern const char *const verb_kill_columns[];
extern const char *const verb_status_columns[];
extern const char *const verb_who_columns[];
extern const char *const verb_watch_columns[];
extern const char *const verb_verbs_columns[];
extern const char *const verb_explain_columns[];

/* Whether a column of this name holds whole numbers, in any table. */
bool verb_column_is_number(const char *name);

/* Halting modes, as mode= and the configuration name them. */
enum halt_mode { HALT_HALT, HALT_POWEROFF, HALT_REBOOT, HALT_MODES };

extern const char *const halt_mode_names[HALT_MODES + 1]; /* NULL-ended */

/* -1 if there is no such mode. */
int halt_mode_by_name(const char *name);

#endif
