/*
 * What may stand where an option wants its value or a command an argument,
 * so that completion knows where to look for it.
 */
#ifndef BRIDLE_VALUE_H
#define BRIDLE_VALUE_H

enum value_kind {
	VALUE_TEXT, /* nobody can know */
	VALUE_CHOICE,
	VALUE_FILE,
	VALUE_COLUMNS, /* of the command's table, separated by commas */
	VALUE_EVENTS,  /* kinds of them, likewise */
	VALUE_ORDER,   /* a column to sort by */
	VALUE_SIGNAL,
	VALUE_USER,
	VALUE_TARGET,  /* what -H takes */
	VALUE_HOST,    /* only such as are reached by TLS */
	VALUE_PROCESS, /* the exact name */
	VALUE_PATTERN, /* a name, in which some characters mean others */
	VALUE_RUN,     /* a command that a host's owner lists */
	VALUE_RUN_ARG, /* an argument of it */
	VALUE_COMMAND,
	VALUE_REQUEST /* a command that asks a daemon; its own follow it */
};

struct value {
	enum value_kind kind;
	const char *choices; /* VALUE_CHOICE: "p256|ed25519" */
};

#endif
