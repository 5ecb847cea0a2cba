#include "question.h"

#include "confirm.h"
#include "gather.h"
#include "halt_words.h"
#include "kill_batch.h"
#include "notice.h"
#include "report_many.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each different text once. 0, or -1 if memory is short. */
static int
show_texts(const struct invocation *inv, const struct answer *previews)
{
	struct buf line = { 0 };
	struct gather groups;
	const struct answer *first;
	char *label;
	size_t i;
	int result = gather_make(&groups, previews, inv->hosts.n);

	for (i = 0; i < groups.n && result == 0; i++) {
		first = &previews[groups.groups[i].indexes[0]];
		if ((label = gather_label(&groups.groups[i], previews))) {
			text_safe(&line, label, strlen(label));
			buf_adds(&line, ": ");
		}
		free(label);
		text_safe(&line, first->reply.said, strlen(first->reply.said));
		fprintf(stderr, "%s\n", buf_str(&line));
		buf_reset(&line);
	}
	gather_free(&groups);
	buf_free(&line);
	return result;
}

static void
add_kill(const struct invocation *inv, const struct answer *previews,
	struct buf *out)
{
	const struct request *r = &inv->request;
	size_t i, n = 0;

	for (i = 0; i < inv->hosts.n; i++)
		if (previews[i].host != NULL)
			n += kill_batch_count(&previews[i].reply);
	buf_addf(out, "Kill %zu process%s with %s", n, n == 1 ? "" : "es",
		text_signal_name(r->signal));
	if (r->escalate != 0)
		buf_addf(out, ", after %u s with %s", r->wait,
			text_signal_name(r->escalate));
	buf_adds(out, " on ");
}

/* "Run restart unit=nginx on " */
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

/* "Reboot now 12 hosts (node[01-12]), 4 at a time?" */
static bool
ask(const struct invocation *inv, const struct answer *previews,
	const struct plan *plan)
{
	const struct request *r = &inv->request;
	struct buf question = { 0 };
	bool yes;

	if (r->verb == VERB_KILL) {
		add_kill(inv, previews, &question);
	} else if (r->verb == VERB_RUN) {
		add_run(inv, &question);
	} else {
		buf_adds(&question, halt_words(r));
		halt_words_when(&question, r);
		buf_addc(&question, ' ');
	}
	plan_describe(plan, inv, &question);
	buf_addc(&question, '?');
	yes = confirm_number(buf_str(&question), plan->n);
	buf_free(&question);
	return yes;
}

static int
show(const struct invocation *inv, const struct answer *previews)
{
	if (previews == NULL)
		return 0;
	if (inv->request.verb == VERB_KILL)
		return report_merged(
			inv, previews, inv->hosts.n, STDERR_FILENO);
	return show_texts(inv, previews);
}

bool
question_is_worth(const struct answer *preview)
{
	if (preview->host == NULL || preview->problem.len > 0)
		return false;
	return preview->reply.nrows > 0 ? kill_batch_count(&preview->reply) > 0
					: preview->fate == FATE_OK;
}

bool
question_ask(const struct invocation *inv, const struct answer *previews,
	const struct plan *plan)
{
	if (show(inv, previews) == 0 && ask(inv, previews, plan))
		return true;
	notice("nothing was done");
	return false;
}
