#include "command.h"
#include "host_formats.h"
#include "inventory.h"
#include "invocation.h"
#include "notice.h"
#include "output.h"

#include <unistd.h>

/* As the options want them. 0, or -1 with a sentence appended to error. */
static int
format(struct buf *out, const struct invocation *inv, struct buf *error)
{
	const struct hosts *hosts = &inv->hosts;

	if (invocation_has(inv, OPT_FORMAT))
		return host_formats_for(out, inv->options.values[OPT_FORMAT],
			hosts, &inv->conf, error);
	if (invocation_has(inv, OPT_GROUPS))
		return host_formats_groups(out, hosts, &inv->conf, error);
	if (invocation_has(inv, OPT_HOW_MANY))
		buf_addf(out, "%zu\n", hosts->n);
	else if (invocation_has(inv, OPT_FOLD))
		host_formats_folded(out, hosts);
	else if (invocation_has(inv, OPT_JSON))
		host_formats_json(out, hosts);
	else
		host_formats_lines(out, hosts);
	return 0;
}

static enum outcome
print(struct buf *out)
{
	if (out->failed) {
		notice("out of memory");
		return OUTCOME_NO;
	}
	return output_write(STDOUT_FILENO, buf_str(out), out->len) == 0
		       ? OUTCOME_DONE
		       : OUTCOME_NO;
}

static void
set_hosts(struct options *o, const char *list)
{
	o->given |= OPT_BIT(OPT_HOSTS);
	o->values[OPT_HOSTS] = list;
}

/* All that is configured, if the call names none. */
static int
select_hosts(struct invocation *inv, struct buf *error)
{
	struct options *o = &inv->options;

	if (inv->nargs > 0 && options_given(o, OPT_HOSTS)) {
		buf_adds(error,
			"say the hosts once: as the argument, or after -H");
		return -1;
	}
	if (inv->nargs > 0)
		set_hosts(o, inv->args[0]);
	else if (!options_given(o, OPT_HOSTS) &&
		 !options_given(o, OPT_HOSTS_FILE))
		set_hosts(o, INVENTORY_ALL);
	return invocation_select(inv, error);
}

enum outcome
cmd_hosts(struct invocation *inv)
{
	struct buf out = { 0 }, error = { 0 };
	enum outcome outcome = OUTCOME_USAGE;

	if (select_hosts(inv, &error) == 0 && format(&out, inv, &error) == 0)
		outcome = print(&out);
	else
		notice_lines(buf_str(&error));
	buf_free(&out);
	buf_free(&error);
	return outcome;
}
