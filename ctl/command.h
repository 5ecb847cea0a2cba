/*
 * The commands: one row tells all about one. Help is made from it, and so
 * can completion be, and be tested against the manual.
 */
#ifndef BRIDLE_COMMAND_H
#define BRIDLE_COMMAND_H

#include "options.h"
#include "verbs.h"

/* What a command came to: bridlectl's exit status. */
enum outcome {
	OUTCOME_DONE = 0,
	OUTCOME_NO = 1,        /* the answer was no, or only partly yes */
	OUTCOME_USAGE = 2,     /* the command line is wrong */
	OUTCOME_UNREACHED = 3, /* no answer, or not a whole one */
	OUTCOME_SEVERAL = 4    /* of several hosts, some this and some that */
};

#define COMMAND_TAKES_MAX 2

struct invocation;

struct command {
	const char *name;
	const char *args;     /* as the synopsis shows them */
	const char *help;     /* one line */
	const char *examples; /* lines of "ARGUMENTS|what it does" */
	option_set options;   /* beside OPT_ALWAYS */
	int args_min, args_max;
	struct value takes[COMMAND_TAKES_MAX]; /* the first arguments */
	enum verb_number verb;                 /* 0: it asks no daemon */
	enum halt_mode mode;
	/* NULL: one host is a list of one, too. */
	bool streams; /* it goes on, and sees to many hosts by itself */
	enum outcome (*run)(struct invocation *);
};

extern const struct command commands[]; /* ends with a NULL name */

/* NULL if there is no such command. */
const struct command *command_find(const char *name);

/* The command that was probably meant, or NULL. */
const char *command_nearest(const char *name);

enum outcome cmd_list(struct invocation *);
enum outcome cmd_kill(struct invocation *);
enum outcome cmd_run(struct invocation *);
enum outcome cmd_halt(struct invocation *);
enum outcome cmd_table(struct invocation *);
enum outcome cmd_ping(struct invocation *);
enum outcome cmd_cancel(struct invocation *);
enum outcome cmd_explain(struct invocation *);
enum outcome cmd_hosts(struct invocation *);
enum outcome cmd_keygen(struct invocation *);
enum outcome cmd_trust(struct invocation *);
enum outcome cmd_config(struct invocation *);
enum outcome cmd_watch(struct invocation *);
enum outcome cmd_chat(struct invocation *);
enum outcome cmd_help(struct invocation *);

#endif
