#include "trust/trust_many.h"

#include "fanout/fanout.h"
#include "output/render.h"
#include "remote/host_trust.h"
#include "remote/known_hosts_file.h"
#include "text.h"
#include "trust/trust_fetch.h"
#include "util/message.h"
#include "util/prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum row_state {
	ROW_UNREACHED,
	ROW_KNOWN,   /* known_hosts has this key */
	ROW_NEW,     /* known_hosts has no key of this host */
	ROW_CHANGED, /* known_hosts has another key */
	ROW_WRONG,   /* the key differs from the required key */
	ROW_UNLISTED /* the list of --from does not contain the host */
};

/* The texts that show each state to the user. */
static const char *const state_texts[] = { "", "already trusted", "new",
	"replaces the known key ", "WRONG: the key must be ",
	"is missing in the list" };

struct row {
	char fingerprint[TLS_FINGERPRINT_SIZE];
	enum row_state state;
	const char *required;     /* the required key, or NULL */
	struct known_found found; /* the known key, for ROW_CHANGED */
	/* address of the host in the form of target_address() */
	struct buf address;
};

struct trusting {
	const struct invocation *inv;
	const struct trust_list *list;
	struct row *rows; /* one row for each host */
	const char *path; /* path of known_hosts */
};

/* Fetch the key of one host. The function is a worker_job. */
static void
fetch(const struct invocation *inv, struct result *r, const void *context)
{
	struct endpoint e = endpoint_of(inv, r->host);
	char fingerprint[TLS_FINGERPRINT_SIZE];

	(void)context;
	if (trust_fetch(&e, fingerprint, &r->problem) == 0 &&
		reply_conclude(&r->reply, CODE_OK, fingerprint, NULL) == 0)
		r->result_kind = RESULT_OK;
	else
		r->result_kind = RESULT_UNREACHED;
}

/* Store the key of one host. The function is a fanout_done. */
static void
take(void *taker, struct result *r)
{
	struct trusting *t = taker;
	struct row *row = &t->rows[r->index];

	/*
	 * Check the fingerprint, because a hostile host could have taken over
	 * its worker.
	 */
	if (r->result_kind == RESULT_OK && r->reply.said != NULL &&
		tls_fingerprint_valid(r->reply.said)) {
		memcpy(row->fingerprint, r->reply.said, TLS_FINGERPRINT_SIZE);
		row->state = ROW_NEW;
	} else {
		message_lines(r->host->label, buf_str(&r->problem));
	}
}

static int
fetch_all(struct trusting *t)
{
	size_t n = t->inv->hosts.n, i;
	struct fanout f = { .inv = t->inv,
		.job = fetch,
		.n = n,
		.deadline = INT64_MAX,
		.done = take,
		.taker = t };
	size_t *order = calloc(n, sizeof(*order));

	if (order == NULL) {
		message_print("out of memory");
		return -1;
	}
	for (i = 0; i < n; i++)
		order[i] = i;
	f.order = order;
	fanout_run(&f);
	free(order);
	return f.ended ? -1 : 0;
}

/*
 * Compare the key of a host with the required key and with known_hosts, and set
 * row->state. Returns 0, or -1 after printing a message.
 */
static int
judge(struct trusting *t, size_t i)
{
	struct row *row = &t->rows[i];
	const struct host *host = &t->inv->hosts.v[i];
	struct buf problem = { 0 };
	int result;

	target_address(&host->target, &row->address);
	if (row->state == ROW_UNREACHED)
		return 0;
	row->required = t->list != NULL ? trust_list_find(t->list,
						  buf_str(&row->address))
					: host->fingerprint;
	result = known_hosts_file_find(t->path, buf_str(&row->address),
		row->fingerprint, &row->found, &problem);
	if (result != 0)
		message_print("%s", buf_str(&problem));
	else if (row->required != NULL &&
		 strcmp(row->required, row->fingerprint) != 0)
		row->state = ROW_WRONG;
	else if (t->list != NULL && row->required == NULL)
		row->state = ROW_UNLISTED;
	else if (row->found.known == KNOWN_SAME)
		row->state = ROW_KNOWN;
	else if (row->found.known == KNOWN_OTHER)
		row->state = ROW_CHANGED;
	buf_free(&problem);
	return result;
}

static bool
is_storable(const struct row *row)
{
	return row->state == ROW_NEW || row->state == ROW_CHANGED;
}

/* Return the width of the longest address. */
static int
find_width(const struct trusting *t)
{
	size_t i, width = 0;

	for (i = 0; i < t->inv->hosts.n; i++)
		if (t->rows[i].address.len > width)
			width = t->rows[i].address.len;
	return (int)width;
}

static void
show(const struct trusting *t)
{
	int width = find_width(t);
	struct row *row;
	size_t i;

	for (i = 0; i < t->inv->hosts.n; i++) {
		row = &t->rows[i];
		if (row->state == ROW_UNREACHED)
			continue;
		fprintf(stderr, "%-*s %s %s%s\n", width, buf_str(&row->address),
			row->fingerprint, state_texts[row->state],
			row->state == ROW_CHANGED ? row->found.fingerprint
			: row->state == ROW_WRONG ? row->required
						  : "");
	}
}

/*
 * Warn if two hosts show the same key. One host is probably a copy of the other
 * host.
 */
static void
warn_of_copies(struct trusting *t)
{
	struct row *row, *other;
	size_t i;

	for (i = 1; i < t->inv->hosts.n; i++) {
		row = &t->rows[i];
		for (other = t->rows; other < row; other++) {
			if (row->state == ROW_UNREACHED ||
				strcmp(row->fingerprint, other->fingerprint) !=
					0)
				continue;
			message_print("%s and %s show the same key; if they "
				      "are two machines, remove "
				      "/var/lib/bridle/host_key on one machine "
				      "and restart bridled",
				buf_str(&other->address),
				buf_str(&row->address));
			break;
		}
	}
}

/* True if the user agrees to store the keys of `n` hosts. */
static bool
agree(const struct trusting *t, size_t n)
{
	struct buf question = { 0 };
	bool yes;

	if (t->list != NULL || invocation_has(t->inv, OPT_YES))
		return true;
	fprintf(stderr, "Compare each key with the output of 'bridled "
			"--fingerprint' on its host.\n");
	buf_addf(&question, "Trust the key%s of %s%zu host%s?",
		n == 1 ? "" : "s", n == 1 ? "this " : "these ", n,
		n == 1 ? "" : "s");
	yes = prompt_number(buf_str(&question), n);
	buf_free(&question);
	if (!yes)
		message_print("nothing was changed");
	return yes;
}

static int
store(struct trusting *t)
{
	struct buf problem = { 0 };
	struct row *row;
	size_t i;
	int result = 0;

	for (i = 0; i < t->inv->hosts.n && result == 0; i++) {
		row = &t->rows[i];
		if (!is_storable(row))
			continue;
		result = known_hosts_file_replace(t->path,
			buf_str(&row->address), row->fingerprint, &problem);
		if (result == 0)
			result = render_line("%s %s", buf_str(&row->address),
				row->fingerprint);
	}
	if (problem.len > 0)
		message_print("%s", buf_str(&problem));
	buf_free(&problem);
	return result;
}

static enum outcome
outcome_of_row(enum row_state state)
{
	switch (state) {
	case ROW_UNREACHED:
		return OUTCOME_UNREACHED;
	case ROW_WRONG:
	case ROW_UNLISTED:
		return OUTCOME_NO;
	default:
		return OUTCOME_DONE;
	}
}

static enum outcome
conclude(const struct trusting *t)
{
	struct outcomes outcomes = { 0 };

	for (size_t i = 0; i < t->inv->hosts.n; i++)
		outcomes_add(&outcomes, outcome_of_row(t->rows[i].state));
	return outcomes.all;
}

static enum outcome
decide(struct trusting *t)
{
	size_t i, n = 0;

	for (i = 0; i < t->inv->hosts.n; i++) {
		if (judge(t, i) != 0)
			return OUTCOME_NO;
		n += is_storable(&t->rows[i]);
	}
	show(t);
	warn_of_copies(t);
	if (n > 0 && (!agree(t, n) || store(t) != 0))
		return OUTCOME_NO;
	return conclude(t);
}

enum outcome
trust_many(const struct invocation *inv, const struct trust_list *list)
{
	struct trusting t = { .inv = inv, .list = list };
	struct buf path = { 0 }, problem = { 0 };
	enum outcome outcome = OUTCOME_NO;
	size_t i;

	t.rows = calloc(inv->hosts.n, sizeof(t.rows[0]));
	if (t.rows == NULL)
		message_print("out of memory");
	else if (host_trust_file(&path, &problem) != 0)
		message_print("%s", buf_str(&problem));
	else if (fetch_all(&t) == 0) {
		t.path = buf_str(&path);
		outcome = decide(&t);
	}
	for (i = 0; t.rows != NULL && i < inv->hosts.n; i++)
		buf_free(&t.rows[i].address);
	free(t.rows);
	buf_free(&path);
	buf_free(&problem);
	return outcome;
}
