/*
 * Kinds of arguments and of the values of options. Completion uses the kind to
 * find candidates.
 */
#ifndef BRIDLE_ARG_KIND_H
#define BRIDLE_ARG_KIND_H

enum arg_kind {
	ARG_TEXT, /* any text */
	ARG_CHOICE,
	ARG_FILE,
	ARG_COLUMNS, /* columns of the command's table, separated by commas */
	ARG_VERBS,   /* verbs, separated by commas */
	ARG_EVENTS,  /* kinds of events, separated by commas */
	ARG_ORDER,   /* a column to sort by */
	ARG_SIGNAL,
	ARG_USER,
	ARG_TARGET,  /* a list of hosts, as for -H */
	ARG_GROUP,   /* a group of bridlectl.conf, without "@" */
	ARG_HOST,    /* a host with the transport TLS, or a group */
	ARG_PROCESS, /* the exact name of a process */
	ARG_PATTERN, /* a glob(7) pattern for names of processes */
	ARG_RUN,     /* a command that the host offers for `run` */
	ARG_RUN_ARG, /* an argument of the command for `run` */
	ARG_COMMAND,
	ARG_REQUEST /* a command that sends a request, with its arguments */
};

struct arg_spec {
	enum arg_kind kind;
	const char *choices; /* for ARG_CHOICE, such as "p256|ed25519" */
};

#endif
