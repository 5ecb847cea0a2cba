#include "cli/invocation.h"

#include "cli/host_select.h"
#include "cli/request_build.h"
#include "clock.h"
#include "hosts/host_expand.h"
#include "magic_packet.h"
#include "text.h"
#include "tls.h"
#include "util/limits.h"

#include <stddef.h>
#include <string.h>

#define WATCH_SECONDS 2 /* default of --watch */

/*
 * Sets of options that exclude each other. At most one option of each set is
 * allowed.
 */
static const option_set excluding[] = {
	OPT_BIT(OPT_TREE) | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_RAW),
	OPT_BIT(OPT_GATHER) | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_RAW),
	OPT_BIT(OPT_DRY_RUN) | OPT_BIT(OPT_YES),
	OPT_BIT(OPT_ADD_KEY) | OPT_BIT(OPT_DROP_OLD) | OPT_BIT(OPT_REPLACE),
	OPT_BIT(OPT_FINGERPRINT) | OPT_BIT(OPT_ACCEPT_NEW),
	OPT_BIT(OPT_IN) | OPT_BIT(OPT_AT),
	OPT_BIT(OPT_UP) | OPT_BIT(OPT_DOWN),
	OPT_BIT(OPT_WATCH) | OPT_BIT(OPT_GATHER) | OPT_BIT(OPT_JSON) |
		OPT_BIT(OPT_RAW),
	OPT_BIT(OPT_HOW_MANY) | OPT_BIT(OPT_FOLD) | OPT_BIT(OPT_FORMAT) |
		OPT_BIT(OPT_GROUPS) | OPT_BIT(OPT_JSON),
	OPT_BIT(OPT_LEARN) | OPT_BIT(OPT_WAIT),
	OPT_BIT(OPT_LEARN) | OPT_BIT(OPT_VIA),
	OPT_BIT(OPT_INTERFACE) | OPT_BIT(OPT_VIA),
	OPT_BIT(OPT_LEARN) | OPT_BIT(OPT_INTERFACE),
	OPT_BIT(OPT_LEARN) | OPT_BIT(OPT_DRY_RUN),
};

/*
 * Check that the command takes all given options, and that these options can be
 * combined. Returns 0, or -1 with a sentence appended to error.
 */
static int
check_options(const struct options *o, const struct command *command,
	struct buf *error)
{
	option_set extra = o->given & ~(command->options | OPT_ALWAYS);
	option_set both;
	size_t i;

	if ((extra & (OPT_BIT(OPT_IN) | OPT_BIT(OPT_AT))) != 0 &&
		command->verb == VERB_HALT) {
		buf_addf(error,
			"'%s' is always immediate, because systemd-logind "
			"cannot schedule it; omit --in and --at",
			command->name);
		return -1;
	}
	if (extra != 0) {
		buf_addf(error, "'%s' has no option --%s", command->name,
			option_rows[__builtin_ctzll(extra)].name);
		return -1;
	}
	for (i = 0; i < sizeof(excluding) / sizeof(excluding[0]); i++) {
		both = o->given & excluding[i];
		if ((both & (both - 1)) == 0)
			continue;
		buf_addf(error, "--%s and --%s cannot be combined",
			option_rows[__builtin_ctzll(both)].name,
			option_rows[__builtin_ctzll(both & (both - 1))].name);
		return -1;
	}
	return 0;
}

/*
 * Check the options of the command `wait`, and set inv->await to the time
 * limit. Returns 0, or -1 with a sentence appended to error.
 */
static int
check_wait(struct invocation *inv, struct buf *error)
{
	if (!invocation_waits(inv))
		return 0;
	/*
	 * Ignore the timeout of bridlectl.conf, because that timeout is for a
	 * single reply.
	 */
	inv->await = inv->timeout ? inv->timeout : WAIT_HOST_SECONDS;
	if (invocation_has(inv, OPT_UP) || invocation_has(inv, OPT_DOWN))
		return 0;
	buf_addf(error, "'%s' needs --up or --down", inv->command->name);
	return -1;
}

/*
 * Read the time limit of `wake` into inv->await. Set the option -H to the
 * argument of `wake`, which is a list of hosts. Returns 0, or -1 with a
 * sentence appended to error.
 */
static int
take_wake(struct invocation *inv, struct buf *error)
{
	unsigned char mac[MAC_SIZE];

	if (!invocation_wakes(inv))
		return 0;
	if (inv->nargs > 0 && invocation_has(inv, OPT_HOSTS)) {
		buf_adds(error,
			"give the hosts once: as the argument or with -H");
		return -1;
	}
	if (inv->nargs > 0 && mac_parse(inv->args[0], mac)) {
		buf_adds(error, "wake takes the name of a host; write the MAC "
				"address as mac of the host in "
				"bridlectl.conf(5)");
		return -1;
	}
	if (inv->nargs > 0)
		options_set(&inv->options, OPT_HOSTS, inv->args[0]);
	if (!invocation_has(inv, OPT_LEARN))
		inv->await = WAKE_HOST_SECONDS;
	return options_number(
		&inv->options, OPT_WAIT, 0, TIMEOUT_MAX, &inv->await, error);
}

/*
 * Check that `wake` has hosts other than the local daemon, and find the host
 * that --via of `wake` names. Returns 0, or -1 with a sentence
 * appended to error.
 */
static int
take_relay(struct invocation *inv, struct buf *error)
{
	const char *name = inv->options.values[OPT_VIA];

	if (!invocation_has(inv, OPT_HOSTS) &&
		!invocation_has(inv, OPT_HOSTS_FILE) &&
		inv->conf.default_hosts == NULL) {
		buf_adds(error,
			"'wake' needs HOSTS, such as 'bridlectl wake pc07'");
		return -1;
	}
	if (!invocation_has(inv, OPT_VIA))
		return 0;
	if (host_expand(&inv->via, &inv->conf, name, error) != 0)
		return -1;
	if (inv->via.n == 1)
		return 0;
	buf_addf(error, "--via of wake needs one host, but '%s' has %zu", name,
		inv->via.n);
	return -1;
}

static int
check_args(const struct command *command, int nargs, char **args,
	struct buf *error)
{
	int i;

	if (nargs < command->args_min) {
		buf_addf(error, "'%s' needs %s", command->name, command->args);
		return -1;
	}
	if (nargs > command->args_max) {
		buf_addf(error, "'%s' takes no argument '%s'", command->name,
			args[command->args_max]);
		return -1;
	}
	for (i = 0; i < nargs; i++) {
		/*
		 * Accept an empty argument of the command that `run` starts.
		 * Only the daemon knows if the argument must not be empty.
		 */
		if (*args[i] == '\0' && (command->verb != VERB_RUN || i == 0)) {
			buf_addf(error, "'%s': an argument is empty",
				command->name);
			return -1;
		}
	}
	return 0;
}

/*
 * Read the value of --wait, an option of `reboot`, into inv->await. Returns 0,
 * or -1 with a sentence appended to error.
 */
static int
take_await(struct invocation *inv, struct buf *error)
{
	const struct options *o = &inv->options;

	if (!options_given(o, OPT_WAIT))
		return 0;
	if (options_given(o, OPT_IN) || options_given(o, OPT_AT)) {
		buf_adds(error, "--wait needs an immediate reboot; omit --in "
				"and --at");
		return -1;
	}
	inv->await = WAIT_HOST_SECONDS;
	return options_number(o, OPT_WAIT, 1, TIMEOUT_MAX, &inv->await, error);
}

/*
 * Refuse an option that is for a single host only, if there is a list of hosts.
 * Returns 0, or -1 with a sentence appended to error.
 */
static int
check_single(const struct invocation *inv, struct buf *error)
{
	option_set single = inv->options.given &
			    (OPT_BIT(OPT_STDIN) | OPT_BIT(OPT_EXIT_STATUS));

	if (!inv->several || single == 0)
		return 0;
	buf_addf(error,
		"--%s is for one host; name only this host in -H, without a "
		"list or group",
		option_rows[__builtin_ctzll(single)].name);
	return -1;
}

/*
 * Refuse options about keys if no host uses TLS. Returns 0, or -1 with a
 * sentence appended to error.
 */
static int
check_tls(const struct invocation *inv, struct buf *error)
{
	option_set given = inv->options.given & OPT_TLS;
	size_t i;

	if (invocation_has(inv, OPT_FINGERPRINT) && inv->hosts.n > 1) {
		buf_addf(error,
			"--fingerprint is for one host, but %zu hosts are "
			"selected",
			inv->hosts.n);
		return -1;
	}
	for (i = 0; given != 0 && i < inv->hosts.n; i++)
		if (inv->hosts.v[i].target.kind == TARGET_TLS)
			given = 0;
	if (given == 0)
		return 0;
	buf_addf(error, "--%s is for TLS, but '%s' does not use TLS",
		option_rows[__builtin_ctzll(given)].name,
		inv->hosts.v[0].label);
	return -1;
}

/*
 * True if the output must have the form for several hosts. A group always gets
 * this form, even if the group has one host only. Therefore scripts can rely on
 * the form.
 */
static bool
is_list(const struct invocation *inv)
{
	const option_set many = OPT_WHERE | OPT_FANNED | OPT_STAGED;
	const option_set one =
		OPT_BIT(OPT_HOSTS) | OPT_BIT(OPT_CONNECT_TIMEOUT);
	const char *written = inv->options.values[OPT_HOSTS];

	if (written == NULL)
		written = inv->conf.default_hosts;
	return inv->hosts.n > 1 || (inv->options.given & many & ~one) != 0 ||
	       (written != NULL && strcmp(written, inv->hosts.v[0].label) != 0);
}

static int
take_share(const struct options *o, enum option_number n, size_t least,
	struct host_share *out, struct buf *error)
{
	if (!options_given(o, n) ||
		host_share_parse(o->values[n], least, out) == 0)
		return 0;
	buf_addf(error,
		"--%s needs a number of hosts, at least %zu, or a percentage "
		"such as 25%%",
		option_rows[n].name, least);
	return -1;
}

/* Options whose value is a number, and the members that store the values. */
static const struct {
	enum option_number option;
	long least, most;
	size_t offset; /* offset of an unsigned member in struct invocation */
} numbers[] = {
	{ OPT_TIMEOUT, 1, TIMEOUT_MAX, offsetof(struct invocation, timeout) },
	{ OPT_FANOUT, 1, FANOUT_MAX, offsetof(struct invocation, fanout) },
	{ OPT_CONNECT_TIMEOUT, 1, TIMEOUT_MAX,
		offsetof(struct invocation, connect_timeout) },
	{ OPT_TOTAL_TIMEOUT, 1, TIMEOUT_MAX,
		offsetof(struct invocation, total_timeout) },
	{ OPT_PAUSE, 0, TIMEOUT_MAX, offsetof(struct invocation, pause) },
	{ OPT_WATCH, 1, TIMEOUT_MAX, offsetof(struct invocation, watch) },
	{ OPT_EXIT_STATUS, 0, OWN_FAILURE_MAX,
		offsetof(struct invocation, own_failure) },
};

/*
 * Read the values of options, if bridlectl can check the values without knowing
 * the hosts. Returns 0, or -1 with a sentence appended to error.
 */
static int
take_values(struct invocation *inv, struct buf *error)
{
	const struct options *o = &inv->options;
	const char *pin = o->values[OPT_FINGERPRINT];
	size_t i;

	if (pin != NULL && !tls_fingerprint_valid(pin)) {
		buf_addf(error,
			"'%s' is no fingerprint; use \"SHA256:\" and 43 "
			"characters of base64",
			pin);
		return -1;
	}
	if (options_given(o, OPT_WATCH))
		inv->watch = WATCH_SECONDS;
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (options_number(o, numbers[i].option, numbers[i].least,
			    numbers[i].most,
			    (void *)((char *)inv + numbers[i].offset),
			    error) != 0)
			return -1;
	if (take_share(o, OPT_BATCH, 1, &inv->batch, error) != 0 ||
		take_share(o, OPT_MAX_FAILURES, 0, &inv->max_failures, error) !=
			0)
		return -1;
	if (options_given(o, OPT_RESUME) && *o->values[OPT_RESUME] == '\0') {
		buf_adds(error, "--resume needs the name of a file");
		return -1;
	}
	if (options_given(o, OPT_PAUSE) && !options_given(o, OPT_BATCH)) {
		buf_adds(error, "--pause needs --batch");
		return -1;
	}
	return 0;
}

/*
 * Return the command whose request is sent. For the command `explain`, return
 * the command that the first argument names. On failure, return NULL with a
 * sentence appended to error.
 */
static const struct command *
find_asked(const struct invocation *inv, struct buf *error)
{
	const struct command *what = inv->command;

	if (what->verb != VERB_EXPLAIN)
		return what;
	if (check_args(what, inv->nargs, inv->args, error) != 0 ||
		(what = command_require(inv->commands, inv->args[0], error)) ==
			NULL)
		return NULL;
	if (what->verb != 0 && what->verb != VERB_EXPLAIN)
		return what;
	buf_addf(error, "cannot explain '%s': this command sends no request",
		what->name);
	return NULL;
}

/*
 * Select the hosts, and take default values from bridlectl.conf. Returns 0, or
 * -1 with a sentence appended to error.
 */
static int
select_hosts(struct invocation *inv, enum verb_number verb, struct buf *error)
{
	/*
	 * Refuse a misspelled --exclude before a kill or a halt, which cannot
	 * be undone.
	 */
	enum host_select_unused unused = verb == VERB_KILL || verb == VERB_HALT
						 ? HOST_SELECT_REFUSE
						 : HOST_SELECT_WARN;

	if (host_select(
		    &inv->hosts, &inv->conf, &inv->options, unused, error) != 0)
		return -1;
	if (!invocation_has(inv, OPT_FANOUT))
		inv->fanout = inv->conf.default_fanout;
	if (!invocation_has(inv, OPT_CONNECT_TIMEOUT))
		inv->connect_timeout = inv->conf.default_connect_timeout;
	return 0;
}

/*
 * Select the hosts, and build the request. Returns 0, or -1 with a sentence
 * appended to error.
 */
static int
parse_request(struct invocation *inv, struct buf *error)
{
	const struct command *what = find_asked(inv, error);
	bool skip = what != inv->command;

	if (what == NULL || check_options(&inv->options, what, error) != 0 ||
		check_args(what, inv->nargs - skip, inv->args + skip, error) !=
			0 ||
		take_values(inv, error) != 0 || check_wait(inv, error) != 0 ||
		take_wake(inv, error) != 0 ||
		select_hosts(inv, what->verb, error) != 0)
		return -1;
	if (invocation_wakes(inv) && take_relay(inv, error) != 0)
		return -1;
	inv->several =
		is_list(inv) || invocation_waits(inv) || invocation_wakes(inv);
	if (check_tls(inv, error) != 0 || check_single(inv, error) != 0)
		return -1;
	/*
	 * The hosts of a wake get pings. Only the relay gets requests for the
	 * verb `wake`.
	 */
	request_init(
		&inv->request, invocation_wakes(inv) ? VERB_PING : what->verb);
	inv->request.explain = skip;
	if (what->verb == VERB_HALT && take_await(inv, error) != 0)
		return -1;
	return request_build(&inv->request, what, &inv->options,
		inv->args + skip, &inv->texts, error);
}

int64_t
invocation_deadline(const struct invocation *inv)
{
	return inv->total_timeout > 0 ? clock_ms() + inv->total_timeout * 1000LL
				      : INT64_MAX;
}

void
invocation_free(struct invocation *inv)
{
	hosts_free(&inv->hosts);
	hosts_free(&inv->via);
	buf_free(&inv->texts.said);
	client_conf_free(&inv->conf);
}

/*
 * Return the value of --exit-status, before the options are parsed. A script
 * expects this exit status even after a wrong command line. The wrong word can
 * stand before --exit-status. Without the option, return OWN_FAILURE_MAX + 1.
 */
static unsigned
find_own_failure(int argc, char **argv)
{
	static const char option[] = "--exit-status";
	size_t len = sizeof(option) - 1;
	unsigned status = OWN_FAILURE_MAX + 1;
	long v;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strncmp(argv[i], option, len) != 0 ||
			(argv[i][len] != '=' && argv[i][len] != '\0'))
			continue;
		status = OWN_FAILURE_MAX;
		if (argv[i][len] == '=' && text_number(argv[i] + len + 1, 0,
						   OWN_FAILURE_MAX, &v) == 0)
			status = (unsigned)v;
	}
	return status;
}

/*
 * Return the first command that the command line names, or NULL. After a wrong
 * option, bridlectl points to the help of this command.
 */
static const struct command *
find_written(const struct command *const *commands, int argc, char **argv)
{
	const struct command *command = NULL;
	int i;

	for (i = 1; i < argc && command == NULL; i++)
		command = command_find(commands, argv[i]);
	return command;
}

int
invocation_parse(struct invocation *inv, const struct command *const *commands,
	int argc, char **argv, struct buf *error)
{
	int first;

	memset(inv, 0, sizeof(*inv));
	inv->commands = commands;
	inv->own_failure = find_own_failure(argc, argv);
	if ((first = options_parse(argc, argv, &inv->options, error)) < 0) {
		inv->command = find_written(commands, argc, argv);
		return -1;
	}
	if (first < argc && (inv->command = command_require(
				     commands, argv[first], error)) == NULL)
		return -1;
	if (inv->options.given & OPT_ALWAYS)
		return 0;
	if (inv->command == NULL) {
		buf_adds(error, "no command is given");
		return -1;
	}
	inv->args = argv + first + 1;
	inv->nargs = argc - first - 1;
	if (inv->command->verb != 0)
		return parse_request(inv, error);
	if (check_options(&inv->options, inv->command, error) != 0 ||
		take_values(inv, error) != 0)
		return -1;
	return check_args(inv->command, inv->nargs, inv->args, error);
}
