#include "cli/host_select.h"
#include "cmd/commands.h"
#include "fanout/fanout.h"
#include "fanout/summary.h"
#include "output/render.h"
#include "remote/client_key.h"
#include "remote/host_trust.h"
#include "remote/key_create.h"
#include "remote/known_hosts_file.h"
#include "text.h"
#include "trust/conf_add_hosts.h"
#include "trust/enrol_job.h"
#include "trust/enrol_ssh.h"
#include "util/config_dir.h"
#include "util/message.h"
#include "util/prompt.h"
#include "wire.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Default number of hosts in parallel. All logins can go through the sshd of
 * one relay. By default, an sshd refuses some logins if more than 10 come at
 * the same time.
 */
#define HOSTS_AT_ONCE 8
#define NAME_MAX_BYTES 32 /* maximum length of a client's name */

/* One run of the command. */
struct run {
	/* the invocation, to which take_hosts() adds the hosts */
	struct invocation inv;
	struct enrol enrol;
	struct buf name;  /* name of the client, if it was not given */
	char *user;       /* user on the hosts, or NULL */
	struct buf known; /* path of known_hosts */
	struct summary summary;
	size_t nadditions;
	struct conf_addition *additions; /* the hosts for --group */
	char **names;                    /* names in the additions; owned */
};

/*
 * Append the default name of this user in the configuration of the hosts. This
 * name is the login name, with "_" for each character that is not allowed. For
 * root, add the name of this machine, because the hosts probably have a client
 * "root" already.
 */
static void
add_default_name(struct buf *name)
{
	char host[HOST_NAME_MAX + 1] = "";
	struct buf login = { 0 };
	const char *s;

	key_create_login(&login);
	if (strcmp(buf_str(&login), "root") == 0) {
		gethostname(host, sizeof(host) - 1);
		buf_addf(&login, "-%s", host);
	}
	for (s = buf_str(&login); *s != '\0' && name->len < NAME_MAX_BYTES; s++)
		buf_addc(name, isascii(*s) && (isalnum(*s) || strchr("._-", *s))
				       ? *s
				       : '_');
	if (name->len > 0 && !isalpha((unsigned char)*name->data))
		*name->data = 'u';
	buf_free(&login);
}

/*
 * Split "USER@HOSTS". "@GROUP" names no user, but "USER@@GROUP" does. Return
 * the hosts, or NULL with a sentence appended to error.
 */
static const char *
take_user(struct run *r, const char *text, struct buf *error)
{
	size_t len = strcspn(text, "@");

	if (len == 0 || text[len] == '\0')
		return text;
	r->user = strndup(text, len);
	if (r->user != NULL && isalnum((unsigned char)*r->user) &&
		text_consists_of(r->user, len,
			"abcdefghijklmnopqrstuvwxyz"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")) {
		r->enrol.user = r->user;
		return text + len + 1;
	}
	buf_addf(error,
		"'%.*s' is no user for ssh; use for example root@lab7 or "
		"root@lab[01-20]",
		(int)len, text);
	return NULL;
}

/*
 * Select the hosts, which must all use TLS. Returns 0, or -1 with a sentence
 * appended to error.
 */
static int
take_hosts(struct run *r, struct buf *error)
{
	struct options options = r->inv.options;
	const char *list = take_user(r, r->inv.args[0], error);
	const struct host *h;

	if (list == NULL)
		return -1;
	options_set(&options, OPT_HOSTS, list);
	if (host_select(&r->inv.hosts, &r->inv.conf, &options, HOST_SELECT_WARN,
		    error) != 0)
		return -1;
	for (h = r->inv.hosts.v; h < r->inv.hosts.v + r->inv.hosts.n; h++)
		if (h->target.kind != TARGET_TLS) {
			buf_addf(error,
				"enrol needs TLS hosts: give NAME or "
				"NAME:PORT, not %s",
				h->label);
			return -1;
		}
	return 0;
}

static enum admit_mode
find_mode(const struct options *o)
{
	if (options_given(o, OPT_ADD_KEY))
		return ADMIT_ADD_KEY;
	if (options_given(o, OPT_DROP_OLD))
		return ADMIT_DROP_OLD;
	return options_given(o, OPT_REPLACE) ? ADMIT_REPLACE : ADMIT_ENTRY;
}

/*
 * Read and check the options. Returns 0, or -1 with a sentence appended to
 * error.
 */
static int
take_options(struct run *r, struct buf *error)
{
	/*
	 * Check all values now. The key is not known yet, so check a valid text
	 * instead of the key.
	 */
	static const char any_key[] =
		"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	const struct options *o = &r->inv.options;
	struct admit *a = &r->enrol.admit;
	const char *group = o->values[OPT_GROUP];
	bool alone = r->inv.hosts.n == 1;

	add_default_name(&r->name);
	a->name = o->values[OPT_NAME] ? o->values[OPT_NAME] : buf_str(&r->name);
	a->allow = o->values[OPT_ALLOW];
	a->from = o->values[OPT_FROM];
	a->until = o->values[OPT_UNTIL];
	a->listen = o->values[OPT_LISTEN];
	a->mode = find_mode(o);
	a->dry_run = options_given(o, OPT_DRY_RUN);
	a->key = any_key;
	r->enrol.via = o->values[OPT_VIA];
	r->enrol.may_ask = alone && r->enrol.via == NULL && prompt_terminal();
	if (r->inv.timeout == 0)
		r->inv.timeout =
			r->enrol.may_ask ? ENROL_ASK_SECONDS : ENROL_SECONDS;
	if (r->inv.fanout == 0)
		r->inv.fanout = HOSTS_AT_ONCE;
	if (admit_check(a, error) != 0 ||
		(r->enrol.via != NULL &&
			enrol_ssh_check_via(r->enrol.via, error) != 0) ||
		(group != NULL && conf_add_hosts_check_group(
					  &r->inv.conf, group, error) != 0))
		return -1;
	return 0;
}

/*
 * Create the user's key if the key is missing. For a dry run, only print that
 * the key is missing. Returns 1 if the key exists now, and 0 if a dry run has
 * not created the key. After printing a message, returns -1.
 */
static int
ensure_key(const struct run *r)
{
	const char *identity = r->inv.options.values[OPT_IDENTITY];
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf path = { 0 }, problem = { 0 }, ignored = { 0 };
	int result = -1;

	if (identity != NULL)
		buf_adds(&path, identity);
	if ((identity != NULL || client_key_path(&path, &problem) == 0) &&
		key_create_read(buf_str(&path), fingerprint, &ignored) == 0) {
		result = 1;
	} else if (problem.len == 0 && (errno != ENOENT || identity != NULL)) {
		buf_adds(&problem, buf_str(&ignored));
	} else if (problem.len == 0 && r->enrol.admit.dry_run) {
		message_print("would create the key %s", buf_str(&path));
		result = 0;
	} else if (problem.len == 0 &&
		   config_dir_make(buf_str(&path), &problem) == 0 &&
		   key_create(buf_str(&path), TLS_KEY_P256, fingerprint,
			   &problem) == 0) {
		message_print("created the key %s", buf_str(&path));
		result = 1;
	}
	if (result < 0)
		message_print("%s", buf_str(&problem));
	buf_free(&path);
	buf_free(&problem);
	buf_free(&ignored);
	return result;
}

/*
 * Remember the host for --group. `port` is the port of the host's TLS listener.
 * Leave out an IPv6 address, because such an address cannot be the name of a
 * host in bridlectl.conf.
 */
static void
remember(struct run *r, const struct host *host, const char *port)
{
	struct conf_addition *a = &r->additions[r->nadditions];
	struct buf name = { 0 };
	long number = 0;

	hosts_name(host, &name);
	if (strchr(buf_str(&name), ':') != NULL) {
		message_host(host->label,
			"an address with ':' needs a name in " CLIENT_CONF_NAME
			" before it can be in a group");
	} else if ((r->names[r->nadditions] = strdup(buf_str(&name))) != NULL) {
		text_number(port, 1, 65535, &number);
		a->name = r->names[r->nadditions++];
		a->port =
			strcmp(port, WIRE_PORT_TLS) == 0 ? 0 : (unsigned)number;
	}
	buf_free(&name);
}

/*
 * Store the key of a host that has admitted the user. Replace an older key,
 * because the new key came over ssh. Returns 0, or -1 after printing a message.
 */
static int
store_key(struct run *r, const struct host *host, const char *fingerprint,
	const char *port)
{
	struct buf address = { 0 }, problem = { 0 };
	struct target target = host->target;
	int result;

	snprintf(target.port, sizeof(target.port), "%s", port);
	target_address(&target, &address);
	result = known_hosts_file_replace(
		buf_str(&r->known), buf_str(&address), fingerprint, &problem);
	if (result != 0)
		message_host(host->label, "%s", buf_str(&problem));
	else if (strcmp(target.port, host->target.port) != 0)
		message_host(host->label,
			"this host uses TLS at port %s: write %s", port,
			buf_str(&address));
	buf_free(&address);
	buf_free(&problem);
	return result;
}

static void
show_plan(const struct result *result)
{
	struct buf *plan = (void *)(uintptr_t)&result->reply.kept[REPLY_OUTPUT];
	const char *line = buf_str(plan);
	size_t len;

	for (; *line != '\0'; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		render_line("%s: %.*s", result->host->label, (int)len, line);
	}
}

/*
 * Take the result of one host. Store the key of the host, and show the result.
 * The function is a fanout_done.
 */
static void
take(void *taker, struct result *result)
{
	struct run *r = taker;
	const struct host *host = result->host;
	const char *fingerprint =
		reply_pair(&result->reply, ENROL_PAIR_FINGERPRINT);
	const char *port = reply_pair(&result->reply, ENROL_PAIR_PORT);
	const char *state = reply_pair(&result->reply, ENROL_PAIR_STATE);

	fputs(buf_str(&result->notices), stderr);
	if (result->problem.len > 0)
		message_lines(host->label, buf_str(&result->problem));
	if (fingerprint != NULL && tls_fingerprint_valid(fingerprint) &&
		port != NULL && state != NULL) {
		if (store_key(r, host, fingerprint, port) != 0)
			result->result_kind = RESULT_FAILED;
		else if (r->additions != NULL)
			remember(r, host, port);
		if (result->result_kind == RESULT_OK)
			render_line(strcmp(state, "unchanged") == 0
					    ? "%s: %s was admitted already, %s"
					    : "%s: has admitted %s, %s",
				host->label, r->enrol.admit.name, fingerprint);
	}
	show_plan(result);
	summary_add(&r->summary, result);
}

/*
 * For a single host, run the job in this process. Then ssh can ask the user for
 * a password.
 */
static void
run_here(struct run *r)
{
	struct result result = { .host = &r->inv.hosts.v[0] };

	enrol_job(&r->inv, &result, &r->enrol);
	take(r, &result);
	result_free(&result);
}

static int
run_on_all(struct run *r)
{
	size_t *order = calloc(r->inv.hosts.n, sizeof(*order)), i;
	struct fanout f = { .inv = &r->inv,
		.job = enrol_job,
		.context = &r->enrol,
		.order = order,
		.n = r->inv.hosts.n,
		.deadline = INT64_MAX,
		.done = take,
		.taker = r };

	if (order == NULL) {
		message_print("out of memory");
		return -1;
	}
	for (i = 0; i < f.n; i++)
		order[i] = i;
	fanout_run(&f);
	free(order);
	return 0;
}

/* Add the enrolled hosts to the group. Returns 0, or -1 after a message. */
static int
add_to_group(struct run *r)
{
	const char *group = r->inv.options.values[OPT_GROUP];
	struct buf path = { 0 };
	size_t i, n = 0;
	int result;

	if (r->nadditions == 0)
		return 0;
	result = conf_add_hosts(
		&r->inv.conf, r->additions, r->nadditions, group, &path);
	for (i = 0; i < r->nadditions; i++)
		n += !r->additions[i].member;
	if (result == 0 && n > 0)
		message_print("added %zu host%s to the group %s in %s", n,
			n == 1 ? "" : "s", group, buf_str(&path));
	buf_free(&path);
	return result;
}

static enum outcome
finish(struct run *r)
{
	struct buf text = { 0 };
	bool grouped = add_to_group(r) == 0;

	if (r->inv.hosts.n > 1) {
		summary_describe(&r->summary, &r->inv.hosts, &text);
		message_print("%s", buf_str(&text));
	}
	buf_free(&text);
	return grouped ? summary_outcome(&r->summary) : OUTCOME_NO;
}

static enum outcome
enrol(struct run *r)
{
	size_t n = r->inv.hosts.n;
	struct buf problem = { 0 };
	int result = ensure_key(r);

	if (result == 0)
		return OUTCOME_DONE;
	if (result > 0 && invocation_has(&r->inv, OPT_GROUP) &&
		!r->enrol.admit.dry_run) {
		r->additions = calloc(n, sizeof(r->additions[0]));
		r->names = calloc(n, sizeof(r->names[0]));
		if (r->additions == NULL || r->names == NULL)
			result = -1;
	}
	if (result < 0 || summary_begin(&r->summary, n) != 0)
		return OUTCOME_NO;
	if (host_trust_file(&r->known, &problem) != 0) {
		message_print("%s", buf_str(&problem));
		buf_free(&problem);
		return OUTCOME_NO;
	}
	if (r->enrol.may_ask)
		run_here(r);
	else if (run_on_all(r) != 0)
		return OUTCOME_NO;
	return finish(r);
}

static void
free_run(struct run *r)
{
	size_t i;

	for (i = 0; i < r->nadditions; i++)
		free(r->names[i]);
	free(r->names);
	free(r->additions);
	free(r->user);
	summary_free(&r->summary);
	buf_free(&r->name);
	buf_free(&r->known);
	hosts_free(&r->inv.hosts);
	client_conf_free(&r->inv.conf);
}

static enum outcome
run(const struct invocation *inv)
{
	/*
	 * Copy the invocation, because take_hosts() adds the hosts to the copy.
	 */
	struct run r = { .inv = *inv };
	struct buf error = { 0 };
	enum outcome outcome = OUTCOME_USAGE;

	if (take_hosts(&r, &error) == 0 && take_options(&r, &error) == 0)
		outcome = enrol(&r);
	else
		message_lines(NULL, buf_str(&error));
	buf_free(&error);
	free_run(&r);
	return outcome;
}

const struct command cmd_enrol = { .name = "enrol",
	.args = "[USER@]HOSTS",
	.help = "admit your key on hosts over ssh, and trust their keys",
	.examples =
		"enrol root@lab7 --allow list,kill|one host\n"
		"enrol @lab --allow list -n|only show what would happen\n"
		"enrol 'root@lab[01-20]' --allow list --group lab|20 hosts\n"
		"enrol root@lab7 --allow list --listen '[::]:7075'|\n"
		"enrol @lab --allow list --via 'ssh -J relay %h'|\n"
		"enrol @lab --add-key -i new.key|then --drop-old\n",
	.options = OPT_BIT(OPT_NAME) | OPT_BIT(OPT_ALLOW) | OPT_BIT(OPT_FROM) |
		   OPT_BIT(OPT_UNTIL) | OPT_BIT(OPT_LISTEN) |
		   OPT_BIT(OPT_ADD_KEY) | OPT_BIT(OPT_DROP_OLD) |
		   OPT_BIT(OPT_REPLACE) | OPT_BIT(OPT_GROUP) |
		   OPT_BIT(OPT_VIA) | OPT_BIT(OPT_DRY_RUN) |
		   OPT_BIT(OPT_IDENTITY) | OPT_BIT(OPT_EXCLUDE) |
		   OPT_BIT(OPT_TIMEOUT) | OPT_BIT(OPT_FANOUT),
	.args_min = 1,
	.args_max = 1,
	.takes = { { ARG_HOST, NULL } },
	.run = run };
