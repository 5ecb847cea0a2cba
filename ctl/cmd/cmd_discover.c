#include "cmd/commands.h"
#include "output/json.h"
#include "output/table_print.h"
#include "trust/conf_add_hosts.h"
#include "trust/discover_add.h"
#include "trust/discover_run.h"
#include "trust/discover_trust.h"
#include "util/message.h"
#include "util/prompt.h"
#include "util/write_out.h"
#include "wire.h"

#include <string.h>
#include <unistd.h>

#define SECONDS_MAX 3600

/* A search with its result. */
struct search {
	const struct invocation *inv;
	struct client_conf conf;
	struct discoveries found;
};

static const char *
fits_text(const struct discovered *m, const struct discover_trust *t)
{
	if (*m->fingerprint == '\0')
		return "none";
	if (t->fits == DISCOVER_FITS_UNKNOWN)
		return "unknown";
	return t->fits == DISCOVER_FITS_YES ? "fits" : "differs";
}

static void
add_row(struct table *t, const struct discovered *m,
	const struct discover_trust *trust, struct buf *text)
{
	const char *const cells[] = { m->host, m->addresses[0].address, NULL,
		m->addresses[0].interface, trust->trusted ? "yes" : "no",
		fits_text(m, trust) };
	const size_t n = sizeof(cells) / sizeof(cells[0]);
	struct wire_field fields[sizeof(cells) / sizeof(cells[0])];
	size_t starts[sizeof(cells) / sizeof(cells[0])], i;

	buf_reset(text);
	for (i = 0; i < n; i++) {
		starts[i] = text->len;
		if (cells[i] != NULL)
			wire_encode(text, cells[i], strlen(cells[i]));
		else
			buf_addu(text, m->port);
		fields[i].len = text->len - starts[i];
	}
	buf_str(text);
	for (i = 0; i < n && !text->failed; i++)
		fields[i].s = text->data + starts[i];
	if (!text->failed)
		table_add_row(t, fields, n);
}

static void
add_json(struct buf *out, const struct discovered *m,
	const struct discover_trust *t)
{
	size_t i;

	buf_adds(out, "{\"host\":");
	json_string(out, m->host, strlen(m->host));
	buf_adds(out, ",\"name\":");
	json_string(out, m->name, strlen(m->name));
	buf_addf(out, ",\"port\":%u,\"addresses\":[", m->port);
	for (i = 0; i < m->naddresses; i++) {
		const struct discovered_address *a = &m->addresses[i];

		buf_adds(out, i ? ",{\"address\":" : "{\"address\":");
		json_string(out, a->address, strlen(a->address));
		buf_adds(out, ",\"interface\":");
		json_string(out, a->interface, strlen(a->interface));
		buf_addc(out, '}');
	}
	buf_addf(out, "],\"trusted\":%s,\"fingerprint\":",
		t->trusted ? "true" : "false");
	if (*m->fingerprint != '\0')
		json_string(out, m->fingerprint, strlen(m->fingerprint));
	else
		buf_adds(out, "null");
	buf_addf(out, ",\"fits\":%s}\n",
		t->fits == DISCOVER_FITS_UNKNOWN ? "null"
		: t->fits == DISCOVER_FITS_YES   ? "true"
						 : "false");
}

/*
 * Append the machines as JSON, or add the machines to the table. Return 0, or
 * -1 with a sentence in `problem`.
 */
static int
collect(const struct search *s, struct table *t, struct buf *json,
	struct buf *problem)
{
	static const char *const columns[] = { "host", "address", "port",
		"interface", "trusted", "fingerprint" };
	struct discover_trust trust;
	struct buf text = { 0 };
	int result = 0;
	size_t i;

	for (i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		table_add_column(t, columns[i], strlen(columns[i]));
	for (i = 0; result == 0 && i < s->found.n; i++) {
		result = discover_trust_find(
			&s->found.v[i], &s->conf, &trust, problem);
		if (result != 0)
			break;
		if (json != NULL)
			add_json(json, &s->found.v[i], &trust);
		else
			add_row(t, &s->found.v[i], &trust, &text);
	}
	buf_free(&text);
	return result;
}

/* Print the machines. Return 0, or -1 after printing a message. */
static int
show(const struct search *s)
{
	bool is_json = invocation_has(s->inv, OPT_JSON);
	struct buf json = { 0 }, problem = { 0 };
	struct table t = { 0 };
	struct view v;
	int result = collect(s, &t, is_json ? &json : NULL, &problem);

	if (result != 0) {
		message_lines(NULL, buf_str(&problem));
	} else if (is_json) {
		result = write_out_buf(STDOUT_FILENO, &json);
	} else {
		result = view_all(&v, &t);
		if (result == 0)
			result = table_print(&v, STDOUT_FILENO);
		view_free(&v);
	}
	table_free(&t);
	buf_free(&json);
	buf_free(&problem);
	return result;
}

/* Return the group of --add, without "@", or NULL. */
static const char *
group_of(const struct invocation *inv)
{
	const char *group = inv->options.values[OPT_ADD];

	return group != NULL && *group == '@' ? group + 1 : group;
}

static enum outcome
search(struct search *s, unsigned seconds)
{
	enum outcome outcome = discover_run(seconds, &s->found);
	const char *group = group_of(s->inv);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (s->found.n == 0) {
		message_print(
			"no machine announces bridled; to announce a "
			"machine, run 'sudo bridlectl announce on' there");
		return OUTCOME_NO;
	}
	if (show(s) != 0)
		return OUTCOME_NO;
	if (group == NULL)
		return OUTCOME_DONE;
	return discover_add(
		&s->found, &s->conf, group, invocation_has(s->inv, OPT_YES));
}

/*
 * Read the options and bridlectl.conf. Return 0, or -1 with a sentence in
 * `error`.
 */
static int
prepare(struct search *s, unsigned *seconds, struct buf *error)
{
	const struct options *o = &s->inv->options;

	if (options_number(o, OPT_SECONDS, 1, SECONDS_MAX, seconds, error) !=
			0 ||
		client_conf_read(&s->conf, error) != 0)
		return -1;
	if (!options_given(o, OPT_ADD))
		return 0;
	return conf_add_hosts_check_group(&s->conf, group_of(s->inv), error);
}

static enum outcome
run(const struct invocation *inv)
{
	struct search s = { .inv = inv };
	struct buf error = { 0 };
	enum outcome outcome = OUTCOME_USAGE;
	unsigned seconds = 0;

	if (prepare(&s, &seconds, &error) != 0)
		message_lines(NULL, buf_str(&error));
	else if (invocation_has(inv, OPT_ADD) &&
		 !invocation_has(inv, OPT_YES) && !prompt_terminal())
		prompt_refuse("discover --add", false);
	else
		outcome = search(&s, seconds);
	buf_free(&error);
	discoveries_free(&s.found);
	client_conf_free(&s.conf);
	return outcome;
}

const struct command cmd_discover = { .name = "discover",
	.args = "",
	.help = "find machines on the network that announce bridled",
	.examples = "discover|search until all have replied\n"
		    "discover --seconds 10|machines that start later, too\n"
		    "discover --add lab|add them to @lab, after a question\n",
	.options = OPT_BIT(OPT_SECONDS) | OPT_BIT(OPT_ADD) | OPT_BIT(OPT_YES) |
		   OPT_BIT(OPT_JSON),
	.run = run };
