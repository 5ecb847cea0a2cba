#include "cli/options.h"

#include "text.h"

#include <ctype.h>
#include <getopt.h>
#include <string.h>

const struct option_row option_rows[OPT_COUNT] = {
	[OPT_USER] = { "user", 0, "USER",
		"only processes of this user (name or number)" },
	[OPT_SORT] = { "sort", 0, "COLUMN",
		"sort by a column; descending: -COLUMN or COLUMN:desc" },
	[OPT_TREE] = { "tree", 0, NULL,
		"show child processes below their parents" },
	[OPT_COLUMNS] = { "columns", 0, "LIST",
		"show these columns, separated by commas" },
	[OPT_SIGNAL] = { "signal", 's', "SIGNAL",
		"send this signal (name or number) instead of TERM" },
	[OPT_WAIT] = { "wait", 0, "[SECONDS]",
		"wait for processes (5), a reboot (600), a wake (120)" },
	[OPT_ESCALATE] = { "escalate", 0, "SIGNAL",
		"after --wait (default 5), send this to the survivors" },
	[OPT_UP] = { "up", 0, NULL, "wait until the hosts reply" },
	[OPT_DOWN] = { "down", 0, NULL, "wait until the hosts stop replying" },
	[OPT_IN] = { "in", 0, "TIME",
		"delay: 10 or 10m, 2h, 90s; rounded up to minutes" },
	[OPT_AT] = { "at", 0, "HH:MM", "time of day on the host" },
	[OPT_MESSAGE] = { "message", 'm', "TEXT",
		"message to the host's users; 200 bytes at most" },
	[OPT_DRY_RUN] = { "dry-run", 'n', NULL, "only show what would happen" },
	[OPT_YES] = { "yes", 'y', NULL, "do not ask for confirmation" },
	[OPT_STDIN] = { "stdin", 0, NULL,
		"read the input of the command, or of admit, from stdin" },
	[OPT_EXIT_STATUS] = { "exit-status", 0, "[N]",
		"exit with the command's status, or N (default 255)" },
	[OPT_ALLOW_TRUNCATED] = { "allow-truncated", 0, NULL,
		"accept output that the host has truncated" },
	[OPT_TYPE] = { "type", 0, "TYPE", "type of the key: p256 or ed25519" },
	[OPT_FORCE] = { "force", 0, NULL,
		"accept a change that removes your own access" },
	[OPT_HOW_MANY] = { "count", 0, NULL, "only print the number of hosts" },
	[OPT_FOLD] = { "fold", 0, NULL, "print the hosts as one short list" },
	[OPT_FORMAT] = { "format", 0, "TOOL",
		"print for ansible, nodeset or pdsh; macs: MAC addresses" },
	[OPT_GROUPS] = { "groups", 0, NULL,
		"print the groups that contain any of the hosts" },
	[OPT_HOSTS] = { "hosts", 'H', "HOSTS",
		"NAME, node[01-32], @lab, ... (default: this machine)" },
	[OPT_EXCLUDE] = { "exclude", 'x', "HOSTS", "leave these hosts out" },
	[OPT_HOSTS_FILE] = { "hosts-file", 0, "FILE",
		"hosts in a file, one a line; -: stdin" },
	[OPT_IDENTITY] = { "identity", 'i', "FILE",
		"use this key, not ~/.config/bridlectl/key" },
	[OPT_FINGERPRINT] = { "fingerprint", 0, "SHA256:...",
		"accept the host only if its key has this fingerprint" },
	[OPT_ACCEPT_NEW] = { "accept-new", 0, NULL,
		"trust the keys of unknown hosts without asking" },
	[OPT_JSON] = { "json", 0, NULL, "print one JSON object on one line" },
	[OPT_RAW] = { "raw", 0, NULL,
		"print the fields of the protocol, tab-separated" },
	[OPT_TIMEOUT] = { "timeout", 0, "SECONDS",
		"time limit for a host, from connecting to the end" },
	[OPT_FANOUT] = { "fanout", 0, "N",
		"number of hosts in parallel (default 64; enrol: 8)" },
	[OPT_CONNECT_TIMEOUT] = { "connect-timeout", 0, "SECONDS",
		"time limit for connecting to a host (default 10)" },
	[OPT_TOTAL_TIMEOUT] = { "total-timeout", 0, "SECONDS",
		"time limit for all hosts together" },
	[OPT_ORDERED] = { "ordered", 0, NULL,
		"show the replies in the order of the hosts" },
	[OPT_GATHER] = { "gather", 0, NULL,
		"show equal replies once, with all their hosts" },
	[OPT_WATCH] = { "watch", 0, "[SECONDS]",
		"refresh every SECONDS (default 2), until ^C" },
	[OPT_BATCH] = { "batch", 0, "N|N%",
		"work in batches of N hosts, one after another" },
	[OPT_PAUSE] = { "pause", 0, "SECONDS", "wait between two batches" },
	[OPT_MAX_FAILURES] = { "max-failures", 0, "N|N%",
		"contact no more hosts after more than N failures" },
	[OPT_RESUME] = { "resume", 0, "FILE",
		"save the remaining hosts in FILE; continue from it" },
	[OPT_EVENTS] = { "events", 0, "LIST",
		"only these kinds of events, separated by commas" },
	[OPT_CLIENT] = { "client", 0, "NAME", "only events of this client" },
	[OPT_TO] = { "to", 0, "NAME",
		"only to the client with this name or source in 'who'" },
	[OPT_WALL] = { "wall", 0, NULL,
		"also to the terminals of the users logged in" },
	[OPT_NAME] = { "name", 0, "NAME",
		"name of the client in the host's configuration" },
	[OPT_ALLOW] = { "allow", 0, "VERBS",
		"allow these verbs, separated by commas" },
	[OPT_FROM] = { "from", 0, "NETS|FILE",
		"networks of the client; for trust: list of keys" },
	[OPT_UNTIL] = { "until", 0, "DATE",
		"end of the access: 2027-01-31, or with a time" },
	[OPT_LISTEN] = { "listen", 0, "ADDRESS",
		"also open this TLS listener, such as '[::]:7075'" },
	[OPT_ADD_KEY] = { "add-key", 0, NULL,
		"allow this key besides the client's present key" },
	[OPT_DROP_OLD] = { "drop-old", 0, NULL,
		"remove all other keys of the client" },
	[OPT_REPLACE] = { "replace", 0, NULL,
		"replace the entry that has this name and another key" },
	[OPT_GROUP] = { "group", 0, "GROUP",
		"add the hosts to this group of bridlectl.conf" },
	[OPT_VIA] = { "via", 0, "VIA",
		"enrol: a command like ssh, with %h; wake: a relay" },
	[OPT_SECONDS] = { "seconds", 0, "N",
		"search for N seconds, not only until all have replied" },
	[OPT_ADD] = { "add", 0, "GROUP",
		"add the machines to this group in bridlectl.conf" },
	[OPT_INTERFACE] = { "interface", 0, "NAME",
		"send through this network interface" },
	[OPT_LEARN] = { "learn", 0, NULL,
		"store the MAC addresses of hosts that are on" },
	[OPT_HELP] = { "help", 'h', NULL, "explain the command and exit" },
	[OPT_VERSION] = { "version", 'V', NULL, "print the version and exit" },
};

const struct arg_spec option_values[OPT_COUNT] = {
	[OPT_USER] = { ARG_USER, NULL },
	[OPT_SORT] = { ARG_ORDER, NULL },
	[OPT_COLUMNS] = { ARG_COLUMNS, NULL },
	[OPT_SIGNAL] = { ARG_SIGNAL, NULL },
	[OPT_ESCALATE] = { ARG_SIGNAL, NULL },
	[OPT_TYPE] = { ARG_CHOICE, "p256|ed25519" },
	[OPT_FORMAT] = { ARG_CHOICE, "ansible|macs|nodeset|pdsh" },
	[OPT_EVENTS] = { ARG_EVENTS, NULL },
	[OPT_HOSTS] = { ARG_TARGET, NULL },
	[OPT_EXCLUDE] = { ARG_TARGET, NULL },
	[OPT_HOSTS_FILE] = { ARG_FILE, NULL },
	[OPT_IDENTITY] = { ARG_FILE, NULL },
	[OPT_RESUME] = { ARG_FILE, NULL },
	[OPT_GROUP] = { ARG_GROUP, NULL },
	[OPT_ADD] = { ARG_GROUP, NULL },
	[OPT_ALLOW] = { ARG_VERBS, NULL },
	[OPT_FROM] = { ARG_FILE, NULL },
};

#define LONG_BASE 256 /* a number larger than the code of each letter */

static int
takes(int option)
{
	if (option_rows[option].value == NULL)
		return no_argument;
	return options_optional((enum option_number)option) ? optional_argument
							    : required_argument;
}

/* Convert option_rows to the tables of getopt_long(3). */
static void
make_tables(struct option *longs, char *shorts)
{
	int i;

	*shorts++ = ':';
	for (i = 0; i < OPT_COUNT; i++) {
		longs[i] = (struct option){ option_rows[i].name, takes(i), NULL,
			LONG_BASE + i };
		if (option_rows[i].letter == 0)
			continue;
		*shorts++ = option_rows[i].letter;
		if (option_rows[i].value)
			*shorts++ = ':';
	}
	longs[i] = (struct option){ 0 };
	*shorts = '\0';
}

int
options_by_name(const char *name, size_t len)
{
	int i, found = -1;

	for (i = 0; i < OPT_COUNT; i++) {
		if (strncmp(option_rows[i].name, name, len) != 0)
			continue;
		if (option_rows[i].name[len] == '\0')
			return i;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}

int
options_by_letter(int letter)
{
	int i;

	for (i = 0; i < OPT_COUNT; i++)
		if (option_rows[i].letter == letter)
			return i;
	return -1;
}

static void
unknown_long(const char *word, struct buf *error)
{
	const char *names[OPT_COUNT + 1], *nearest;
	int i;

	for (i = 0; i < OPT_COUNT; i++)
		names[i] = option_rows[i].name;
	names[i] = NULL;
	buf_addf(error, "unknown option %s", word);
	if ((nearest = text_nearest(word + 2, names)) != NULL)
		buf_addf(error, "; did you mean --%s?", nearest);
}

/* Explain why getopt_long(3) has returned '?'. */
static void
unknown(const char *word, struct buf *error)
{
	if (optopt >= LONG_BASE)
		buf_addf(error, "--%s takes no value",
			option_rows[optopt - LONG_BASE].name);
	else if (optopt == 0)
		unknown_long(word, error);
	else if (isdigit((unsigned char)optopt))
		/* Suggest -s for "-9", which users of kill(1) often type. */
		buf_addf(error,
			"unknown option -%c; to choose a signal, use -s %c",
			optopt, optopt);
	else
		buf_addf(error, "unknown option -%c", optopt);
}

static bool
is_number(const char *word)
{
	return *word != '\0' && word[strspn(word, "0123456789")] == '\0';
}

int
options_parse(int argc, char **argv, struct options *o, struct buf *error)
{
	struct option longs[OPT_COUNT + 1];
	char shorts[2 * OPT_COUNT + 2];
	int c, n;

	memset(o, 0, sizeof(*o));
	make_tables(longs, shorts);
	opterr = 0;
	optind = 0; /* The value 0 tells GNU getopt to begin with a new argv. */
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (c == '?') {
			unknown(argv[optind - 1], error);
			return -1;
		}
		if (c == ':') {
			buf_addf(error, "%s needs a value", argv[optind - 1]);
			return -1;
		}
		n = c >= LONG_BASE ? c - LONG_BASE : options_by_letter(c);
		if (options_given(o, (enum option_number)n)) {
			buf_addf(error, "--%s is given twice",
				option_rows[n].name);
			return -1;
		}
		options_set(o, (enum option_number)n, optarg);
		/*
		 * getopt_long(3) finds an optional value only after "=". If the
		 * next word is a number, take this word as the value.
		 */
		if (optarg == NULL && optind < argc &&
			options_optional((enum option_number)n) &&
			is_number(argv[optind]))
			o->values[n] = argv[optind++];
	}
	return optind;
}

int
options_number(const struct options *o, enum option_number n, long least,
	long most, unsigned *out, struct buf *error)
{
	long v;

	if (!options_given(o, n) || o->values[n] == NULL)
		return 0;
	if (text_number(o->values[n], least, most, &v) != 0) {
		buf_addf(error, "--%s needs a number from %ld to %ld",
			option_rows[n].name, least, most);
		return -1;
	}
	*out = (unsigned)v;
	return 0;
}
