/*
 * Kinds of arguments and of values of options. Completion finds the candidates
 * by the kind.
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
	ARG_RUN_ARG, /* an argument of the command that `run` starts */
	ARG_COMMAND,
	/* a command of bridlectl that sends a request, and its arguments */
	ARG_REQUEST
};

struct arg_spec {
	enum arg_kind kind;
	/* the allowed words of an ARG_CHOICE, such as "p256|ed25519" */
	const char *choices;
};

#endif
