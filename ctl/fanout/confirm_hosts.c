#include "fanout/confirm_hosts.h"

#include "fanout/group_equal.h"
#include "fanout/host_names.h"
#include "fanout/kill_selected.h"
#include "fanout/merge_results.h"
#include "output/halt_text.h"
#include "output/table_print.h"
#include "output/view.h"
#include "text.h"
#include "util/message.h"
#include "util/prompt.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Print the texts of the dry runs. Hosts with equal results share one line.
 * Return 0, or -1 if no memory is available.
 */
static int
show_texts(const struct invocation *inv, const struct result *previews)
{
	struct buf line = { 0 }, safe = { 0 };
	struct equal_groups groups;
	const struct equal_group *group;
	const char *said;
	size_t i;
	int result = equal_groups_make(&groups, previews, inv->hosts.n);

	for (i = 0; i < groups.n && result == 0; i++) {
		group = &groups.groups[i];
		said = previews[group->indexes[0]].reply.said;
		if (inv->several) {
			host_names_add(
				&inv->hosts, group->indexes, group->n, &line);
			buf_adds(&line, ": ");
		}
		buf_adds(&line, said);
		text_safe(&safe, buf_str(&line), line.len);
		fprintf(stderr, "%s\n", buf_str(&safe));
		buf_reset(&safe);
		buf_reset(&line);
	}
	equal_groups_free(&groups);
	buf_free(&line);
	buf_free(&safe);
	return result;
}

static void
add_kill(const struct invocation *inv, const struct result *previews,
	struct buf *out)
{
	const struct request *r = &inv->request;
	size_t i, n = 0;

	for (i = 0; i < inv->hosts.n; i++)
		if (previews[i].host != NULL)
			n += kill_selected_count(&previews[i].reply);
	if (inv->several)
		buf_addf(out, "Kill %zu process%s", n, n == 1 ? "" : "es");
	else if (n == 1)
		buf_adds(out, "Kill this process");
	else
		buf_addf(out, "Kill these %zu processes", n);
	if (!inv->several && invocation_has(inv, OPT_HOSTS))
		buf_addf(out, " on %s", inv->hosts.v[0].label);
	buf_addf(out, " with %s", text_signal_name(r->signal));
	if (r->escalate != 0)
		buf_addf(out, ", after %u s with %s", r->wait,
			text_signal_name(r->escalate));
	if (inv->several)
		buf_adds(out, " on ");
}

/*
 * Append the command that `run` starts and its arguments, as in "Run restart
 * unit=nginx on ".
 */
static void
add_run(const struct invocation *inv, struct buf *out)
{
	const struct request *r = &inv->request;
	size_t i;

	buf_addf(out, "Run %s", r->strings[REQUEST_NAME]);
	for (i = 0; i < r->nargs; i++)
		buf_addf(out, " %s", r->args[i].text);
	buf_adds(out, " on ");
}

/* Append the name of the machine, so that the user notices a wrong machine. */
static void
add_machine(const struct invocation *inv, struct buf *out)
{
	const struct target *t = &inv->hosts.v[0].target;
	char name[HOST_NAME_MAX + 1] = "";

	if (t->kind != TARGET_UNIX) {
		buf_adds(out, t->host);
	} else if (invocation_has(inv, OPT_HOSTS)) {
		/*
		 * Do not print the name of this machine. The daemon can run on
		 * another machine if the unix socket is forwarded.
		 */
		buf_addf(out, "the machine behind %s", t->name);
	} else {
		gethostname(name, sizeof(name) - 1);
		buf_addf(out, "this machine (%s)", name);
	}
}

/*
 * Append the action, the hosts and the time of a halt. Examples: "Reboot 12
 * hosts (node[01-12]) now" and "Reboot lab7 now".
 */
static void
add_halt(const struct invocation *inv, const struct host_order *host_order,
	struct buf *out)
{
	buf_addf(out, "%s ", halt_text(&inv->request));
	if (inv->several)
		host_order_hosts(host_order, inv, out);
	else
		add_machine(inv, out);
	halt_text_when(out, &inv->request);
}

/*
 * Ask a question such as "Reboot 12 hosts (node[01-12]) now, 4 at a time?".
 * Return true if the user agrees.
 */
static bool
ask(const struct invocation *inv, const struct result *previews,
	const struct host_order *host_order)
{
	struct buf question = { 0 };
	bool yes;

	if (inv->request.verb == VERB_KILL)
		add_kill(inv, previews, &question);
	else if (inv->request.verb == VERB_RUN)
		add_run(inv, &question);
	else
		add_halt(inv, host_order, &question);
	if (inv->several && inv->request.verb != VERB_HALT)
		host_order_hosts(host_order, inv, &question);
	if (inv->several)
		host_order_steps(host_order, inv, &question);
	buf_addc(&question, '?');
	yes = inv->several ? prompt_number(buf_str(&question), host_order->n)
			   : prompt_yes(buf_str(&question));
	buf_free(&question);
	return yes;
}

/*
 * Print the processes that a kill would signal, for a single host. Return 0, or
 * -1 on failure.
 */
static int
show_processes(const struct table *table)
{
	struct view view = { 0 };
	int result = view_all(&view, table);

	if (result == 0) {
		view_hide(&view, "token");
		result = table_print(&view, STDERR_FILENO);
	}
	view_free(&view);
	return result;
}

static int
show(const struct invocation *inv, const struct result *previews)
{
	const struct table_output output = { inv, STDERR_FILENO, NULL };

	if (previews == NULL)
		return 0;
	if (inv->request.verb != VERB_KILL)
		return show_texts(inv, previews);
	return inv->several
		       ? merge_results_show(&output, previews, inv->hosts.n)
		       : show_processes(&previews[0].reply.table);
}

bool
confirm_hosts_needed(const struct invocation *inv, const struct result *preview)
{
	if (preview->host == NULL || preview->problem.len > 0)
		return false;
	return inv->request.verb == VERB_KILL
		       ? kill_selected_count(&preview->reply) > 0
		       : preview->result_kind == RESULT_OK;
}

bool
confirm_hosts(const struct invocation *inv, const struct result *previews,
	const struct host_order *host_order)
{
	bool killed = !inv->several && inv->request.verb == VERB_KILL;

	if (show(inv, previews) == 0 && ask(inv, previews, host_order))
		return true;
	message_print("nothing was %s", killed ? "killed" : "done");
	return false;
}
