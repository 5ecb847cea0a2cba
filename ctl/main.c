#include "config.h"

#include "buf.h"
#include "complete.h"
#include "fd.h"
#include "help.h"
#include "invocation.h"
#include "many.h"
#include "notice.h"
#include "refresh.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum outcome
refuse_usage(const struct invocation *inv, const char *error)
{
	notice_lines(error);
	if (inv->command != NULL)
		notice("'bridlectl %s --help' tells more", inv->command->name);
	else
		notice("'bridlectl --help' tells more");
	return OUTCOME_USAGE;
}

static enum outcome
dispatch(struct invocation *inv)
{
	if (inv->watch > 0)
		return refresh_run(inv);
	if (inv->command->streams)
		return inv->command->run(inv);
	return inv->several ? many_run(inv) : inv->command->run(inv);
}

static enum outcome
run(struct invocation *inv, int argc, char **argv)
{
	struct buf error = { 0 };
	enum outcome outcome;

	if (invocation_parse(inv, argc, argv, &error) != 0) {
		outcome = refuse_usage(inv, buf_str(&error));
	} else if (invocation_has(inv, OPT_HELP)) {
		help_print(inv->command);
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

/* For what help writes through stdio. */
static enum outcome
close_output(enum outcome outcome)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return outcome;
	if (errno != EPIPE)
		notice("cannot write the output: %s",
			errno ? strerror(errno) : "some of it is lost");
	return outcome == OUTCOME_DONE ? OUTCOME_NO : outcome;
}

/* With --exit-status, that of the command is not to be mistaken for ours. */
static int
exit_status(const struct invocation *inv, enum outcome outcome)
{
	if (!invocation_has(inv, OPT_EXIT_STATUS) ||
		(outcome == OUTCOME_DONE && !inv->exit_known))
		return (int)outcome;
	return inv->exit_known && outcome <= OUTCOME_NO ? inv->exit_status
							: (int)inv->own_failure;
}

int
main(int argc, char **argv)
{
	struct invocation inv;
	enum outcome outcome;
	int status;

	/* Lest the connection become what stdout writes to. */
	if (fd_std_open() != 0)
		return OUTCOME_UNREACHED;
	if (argc > 1 && strcmp(argv[1], COMPLETE_OPTION) == 0) {
		complete_print(argc - 2, argv + 2);
		return OUTCOME_DONE;
	}
	outcome = close_output(run(&inv, argc, argv));
	status = exit_status(&inv, outcome);
	invocation_free(&inv);
	return status;
}
