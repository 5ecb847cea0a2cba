#include "bridled.h"
#include "command.h"
#include "config_diff.h"
#include "config_edit.h"
#include "config_in_force.h"
#include "invocation.h"
#include "notice.h"
#include "output.h"

#include <string.h>
#include <unistd.h>

#define DEFAULT_FILE SYSCONFDIR "/bridle/bridled.conf"

/* Whatever it says is the answer, its exit status too. */
static enum outcome
become(const char *option, const char *file)
{
	const char *args[] = { option, file, NULL };

	bridled_become(args);
	return OUTCOME_UNREACHED;
}

/* Of the daemon if one runs with the file, else of the file. */
static enum outcome
show(const char *file)
{
	struct buf text = { 0 }, why = { 0 };
	bool runs = config_in_force(file, &text, &why);
	int result = 0;

	if (runs) {
		notice("this is in force in the daemon that runs ('bridled "
		       "--show %s' shows what the file says)",
			file);
		result = output_buf(STDOUT_FILENO, &text);
	} else {
		output_buf(STDERR_FILENO, &why);
		notice("this is what the file says");
	}
	buf_free(&text);
	buf_free(&why);
	if (!runs)
		return become("--show", file);
	return result == 0 ? OUTCOME_DONE : OUTCOME_NO;
}

enum outcome
cmd_config(struct invocation *inv)
{
	const char *what = inv->args[0];
	const char *file = inv->nargs > 1 ? inv->args[1] : DEFAULT_FILE;
	bool force = invocation_has(inv, OPT_FORCE);

	if (strcmp(what, "edit") == 0)
		return config_edit(file, force);
	if (force) {
		notice("config %s takes no --force", what);
		return OUTCOME_USAGE;
	}
	if (strcmp(what, "check") == 0)
		return become("--check", file);
	if (strcmp(what, "show") == 0)
		return show(file);
	if (strcmp(what, "diff") == 0)
		return config_diff(file);
	notice("config does not know '%s': it is 'config edit', 'config "
	       "check', 'config show' or 'config diff'",
		what);
	return OUTCOME_USAGE;
}
