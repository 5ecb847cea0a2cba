#include "config.h"

#include "buf.h"
#include "cli/help.h"
#include "cli/invocation.h"
#include "cmd/commands.h"
#include "complete/complete.h"
#include "fanout/live_table.h"
#include "fanout/run_on_hosts.h"
#include "fd.h"
#include "util/message.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum outcome
refuse_usage(const struct invocation *inv, const char *error)
{
	message_lines(NULL, error);
	if (inv->command != NULL)
		message_print("see 'bridlectl %s --help'", inv->command->name);
	else
		message_print("see 'bridlectl --help'");
	return OUTCOME_USAGE;
}

static enum outcome
dispatch(const struct invocation *inv)
{
	if (inv->watch > 0)
		return live_table_run(inv);
	return inv->command->run != NULL ? inv->command->run(inv)
					 : run_on_hosts(inv);
}

static enum outcome
run(struct invocation *inv, int argc, char **argv)
{
	struct buf error = { 0 };
	enum outcome outcome;

	if (invocation_parse(inv, commands, argc, argv, &error) != 0) {
		outcome = refuse_usage(inv, buf_str(&error));
	} else if (invocation_has(inv, OPT_HELP)) {
		help_print(commands, inv->command);
		outcome = OUTCOME_DONE;
	} else if (invocation_has(inv, OPT_VERSION)) {
		puts("bridlectl " PACKAGE_VERSION);
		outcome = OUTCOME_DONE;
	} else {
		outcome = dispatch(inv);
	}
	buf_free(&error);
	return outcome;
}

/*
 * Close stdout, which writes the text of --help, and report an error. Return
 * the outcome, or OUTCOME_NO if only the output has failed.
 */
static enum outcome
close_output(enum outcome outcome)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return outcome;
	if (errno != EPIPE)
		message_print("cannot write the output: %s",
			errno ? strerror(errno)
			      : "a part of the output is lost");
	return outcome == OUTCOME_DONE ? OUTCOME_NO : outcome;
}

int
main(int argc, char **argv)
{
	struct invocation inv;
	enum outcome outcome;
	int status;

	/*
	 * If stdin, stdout or stderr is closed, open it. Otherwise a connection
	 * could get the descriptor of stdout.
	 */
	if (fd_std_open() != 0)
		return OUTCOME_UNREACHED;
	if (argc > 1 && strcmp(argv[1], COMPLETE_OPTION) == 0) {
		complete_print(commands, argc - 2, argv + 2);
		return OUTCOME_DONE;
	}
	outcome = close_output(run(&inv, argc, argv));
	status = exit_status(outcome, inv.own_failure);
	invocation_free(&inv);
	return status;
}
