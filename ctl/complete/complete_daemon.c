#include "complete/complete_daemon.h"

#include "clock.h"
#include "complete/complete_hosts.h"
#include "hosts/host.h"
#include "remote/call.h"
#include "request.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* time limit in ms, which is short because the user is waiting */
#define TIMEOUT 500

#define WORD_BYTES                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_.:@%/+,-"

/*
 * Send a request without arguments, and read the table of the reply. The table
 * stays empty if the target is not a unix socket, or if the reply is not
 * complete in time.
 */
static void
query(const struct target *t, enum verb_number verb, struct reply *r)
{
	/*
	 * Set any timeout. If a timeout is set, call_reply() uses the deadline
	 * of conn_open() unchanged.
	 */
	const struct endpoint e = { .target = t, .timeout = 1 };
	struct request request;
	struct conn conn;
	int result;

	if (t->kind != TARGET_UNIX)
		return;
	request_init(&request, verb);
	conn_init(&conn);
	result = conn_open(&conn, t, NULL, clock_ms() + TIMEOUT);
	if (result == 0) {
		call_send(&conn, &request);
		result = call_reply(&conn, &e, &request, r);
	}
	conn_close(&conn, result == 0);
	if (result != 0)
		reply_free(r);
}

/* Add the names of all commands that the target accepts for `run`. */
static void
add_command_names(struct candidates *c, const struct target *t)
{
	struct buf name = { 0 }, help = { 0 };
	struct reply r = { 0 };
	size_t row;

	query(t, VERB_VERBS, &r);
	for (row = 0; row < r.table.nrows; row++) {
		if (*table_named_text(&r.table, row, "command", &name) == '\0')
			continue;
		candidates_add(c, CANDIDATE_WHOLE, buf_str(&name),
			table_named_text(&r.table, row, "help", &help));
	}
	buf_free(&name);
	buf_free(&help);
	reply_free(&r);
}

/*
 * Return the word that a pattern matches, if the pattern matches only one word.
 * For example, return "php8.2" for "php8[.]2". If the pattern matches several
 * words, as "[a-z]+" does, return "".
 */
static const char *
literal(const char *alternative, struct buf *out)
{
	const char *s = alternative;

	buf_reset(out);
	while (*s != '\0') {
		if (strncmp(s, "[.]", 3) == 0 || strncmp(s, "\\.", 2) == 0) {
			s += *s == '[' ? 3 : 2;
			buf_addc(out, '.');
		} else if (strchr(WORD_BYTES "\0", *s) != NULL && s[1] != '+') {
			buf_addc(out, *s++);
		} else {
			return "";
		}
	}
	return buf_str(out);
}

static void
add_values(struct candidates *c, char *rule)
{
	struct buf word = { 0 };
	const char *value;
	char *alternative;

	while ((alternative = strsep(&rule, "|")) != NULL)
		if (*(value = literal(alternative, &word)) != '\0')
			candidates_add(c, CANDIDATE_WHOLE, value, NULL);
	buf_free(&word);
}

/*
 * Add "unit=" for the rule "unit=nginx|php". If the user has typed "unit=", add
 * the values "nginx" and "php" instead. `arg` is overwritten.
 */
static void
add_arg(struct candidates *c, char *arg)
{
	size_t named = request_arg_name(arg, strlen(arg));
	struct buf name = { 0 };

	if (named > 0 && strncmp(candidates_typed(c), arg, named + 1) == 0) {
		candidates_keep(c, named + 1);
		add_values(c, arg + named + 1);
	} else if (named > 0) {
		buf_add(&name, arg, named + 1);
		candidates_add(
			c, CANDIDATE_PART, buf_str(&name), arg + named + 1);
	}
	buf_free(&name);
}

static void
add_args(struct candidates *c, const char *limits)
{
	char *copy = strdup(limits), *rest = copy, *arg;

	while (copy != NULL && (arg = strsep(&rest, " ")) != NULL)
		add_arg(c, arg);
	free(copy);
}

/*
 * Add "NAME=" for each argument of the command. If the user has typed "NAME=",
 * add the words that the argument's rule allows. Add nothing for a rule that is
 * a pattern for several words.
 */
static void
add_command_args(
	struct candidates *c, const struct target *t, const char *command)
{
	struct reply r = { 0 };
	struct buf text = { 0 };
	size_t row;

	query(t, VERB_VERBS, &r);
	for (row = 0; row < r.table.nrows; row++)
		if (strcmp(table_named_text(&r.table, row, "command", &text),
			    command) == 0)
			add_args(c, table_named_text(
					    &r.table, row, "limits", &text));
	buf_free(&text);
	reply_free(&r);
}

/*
 * Kinds of process names that are not candidates. bridlectl would read such a
 * name as an option or as a pattern.
 */
enum without {
	NO_DASH = 1 << 0, /* names that look like options */
	NO_GLOB = 1 << 1  /* names that look like patterns */
};

/*
 * True if the row is a kernel thread or a zombie. Users do not kill such
 * processes.
 */
static bool
has_no_program(const struct table *t, size_t row, const char *name)
{
	struct buf cell = { 0 }, bracketed = { 0 };
	bool none;

	buf_addf(&bracketed, "[%s]", name);
	none = strcmp(table_named_text(t, row, "rss_kib", &cell), "0") == 0 &&
	       strcmp(table_named_text(t, row, "command", &cell),
		       buf_str(&bracketed)) == 0;
	buf_free(&cell);
	buf_free(&bracketed);
	return none;
}

static bool
is_wanted(const char *name, unsigned without)
{
	if ((without & NO_DASH) && *name == '-')
		return false;
	if ((without & NO_GLOB) && strpbrk(name, "*?[\\") != NULL)
		return false;
	return *name != '\0';
}

/*
 * Copy the names of all wanted processes, and return the number of names. The
 * caller frees the copies.
 */
static size_t
take_names(const struct table *t, char **names, unsigned without)
{
	struct buf cell = { 0 };
	size_t row, n = 0;
	const char *name;

	for (row = 0; row < t->nrows; row++) {
		name = table_named_text(t, row, "name", &cell);
		if (!is_wanted(name, without) || has_no_program(t, row, name))
			continue;
		if ((names[n] = strdup(name)) != NULL)
			n++;
	}
	buf_free(&cell);
	return n;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_name(struct candidates *c, const char *name, size_t count)
{
	struct buf about = { 0 };

	buf_addf(&about, "%zu process%s", count, count == 1 ? "" : "es");
	candidates_add(c, CANDIDATE_WHOLE, name, buf_str(&about));
	buf_free(&about);
}

static void
add_names(struct candidates *c, char **names, size_t n)
{
	size_t i, first = 0;

	qsort(names, n, sizeof(names[0]), compare);
	for (i = 1; i <= n; i++) {
		if (i < n && strcmp(names[i], names[first]) == 0)
			continue;
		add_name(c, names[first], i - first);
		first = i;
	}
}

/* Add the names of the processes, each name once. */
static void
add_processes(struct candidates *c, const struct target *t, unsigned without)
{
	struct reply reply = { 0 };
	char **names;
	size_t i, n = 0;

	query(t, VERB_LIST, &reply);
	names = calloc(reply.table.nrows + 1, sizeof(names[0]));
	if (names != NULL) {
		n = take_names(&reply.table, names, without);
		add_names(c, names, n);
	}
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	reply_free(&reply);
}

void
complete_daemon_add(
	struct candidates *c, const struct partial_line *t, enum arg_kind kind)
{
	unsigned without = (t->only_arguments ? 0 : NO_DASH) |
			   (kind == ARG_PATTERN ? NO_GLOB : 0);
	struct hosts hosts = { 0 };

	if (!complete_hosts_only(&hosts, t->host))
		/*
		 * Add nothing, because bridlectl asks a daemon only if there is
		 * exactly one host.
		 */
		;
	else if (kind == ARG_RUN)
		add_command_names(c, &hosts.v[0].target);
	else if (kind != ARG_RUN_ARG)
		add_processes(c, &hosts.v[0].target, without);
	else if (t->first != NULL)
		add_command_args(c, &hosts.v[0].target, t->first);
	hosts_free(&hosts);
}
