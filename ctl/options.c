#include "options.h"

#include "text.h"

#include <ctype.h>
#include <getopt.h>
#include <string.h>

const struct option_row option_rows[OPT_COUNT] = {
	[OPT_USER] = { "user", 0, "USER",
		"only processes of this user (name or number)" },
	[OPT_SORT] = { "sort", 0, "COLUMN",
		"sort by it; largest first: -COLUMN or COLUMN:desc" },
	[OPT_TREE] = { "tree", 0, NULL, "draw children below their parents" },
	[OPT_COLUMNS] = { "columns", 0, "LIST",
		"show these columns, separated by commas" },
	[OPT_SIGNAL] = { "signal", 's', "SIGNAL",
		"send this (name or number) instead of TERM" },
	[OPT_WAIT] = { "wait", 0, "[SECONDS]",
		"wait for them to end (5), or for it to be back (600)" },
	[OPT_ESCALATE] = { "escalate", 0, "SIGNAL",
		"then send this to what is left (--wait 5 if unsaid)" },
	[OPT_UP] = { "up", 0, NULL, "wait until it answers" },
	[OPT_DOWN] = { "down", 0, NULL, "wait until it answers no more" },
	[OPT_IN] = { "in", 0, "TIME",
		"so much later: 10 or 10m, 2h, 90s (whole minutes)" },
	[OPT_AT] = { "at", 0, "HH:MM", "at that time of the host's day" },
	[OPT_MESSAGE] = { "message", 'm', "TEXT",
		"tell the host's users; 200 bytes at most" },
	[OPT_DRY_RUN] = { "dry-run", 'n', NULL,
		"only show what would be done" },
	[OPT_YES] = { "yes", 'y', NULL, "do it without asking" },
	[OPT_STDIN] = { "stdin", 0, NULL, "give it what stands on stdin" },
	[OPT_EXIT_STATUS] = { "exit-status", 0, "[N]",
		"end with its status; with N (255) where it has none" },
	[OPT_TYPE] = { "type", 0, "TYPE", "of the key: p256 or ed25519" },
	[OPT_FORCE] = { "force", 0, NULL,
		"take a change that shuts out who makes it" },
	[OPT_HOW_MANY] = { "count", 0, NULL, "only tell how many there are" },
	[OPT_FOLD] = { "fold", 0, NULL, "print them as one list, shortened" },
	[OPT_FORMAT] = { "format", 0, "TOOL",
		"print them for ansible, nodeset or pdsh" },
	[OPT_GROUPS] = { "groups", 0, NULL,
		"print the groups that hold any of them" },
	[OPT_HOSTS] = { "hosts", 'H', "HOSTS",
		"NAME[:PORT], node[01-32], @group, unix:PATH, ..." },
	[OPT_EXCLUDE] = { "exclude", 'x', "HOSTS", "but not these" },
	[OPT_HOSTS_FILE] = { "hosts-file", 0, "FILE",
		"those in this file, a line each; -: stdin" },
	[OPT_IDENTITY] = { "identity", 'i', "FILE",
		"show this key, not ~/.config/bridle/key" },
	[OPT_FINGERPRINT] = { "fingerprint", 0, "SHA256:...",
		"take the host for itself by this key alone" },
	[OPT_ACCEPT_NEW] = { "accept-new", 0, NULL,
		"trust hosts that are new, without asking" },
	[OPT_JSON] = { "json", 0, NULL, "print one JSON object on one line" },
	[OPT_RAW] = { "raw", 0, NULL,
		"print the protocol's fields, tab-separated" },
	[OPT_TIMEOUT] = { "timeout", 0, "SECONDS",
		"give up on a host when it takes longer, all in all" },
	[OPT_FANOUT] = { "fanout", 0, "N", "ask so many at once (64)" },
	[OPT_CONNECT_TIMEOUT] = { "connect-timeout", 0, "SECONDS",
		"give up on a host that cannot be reached by then (10)" },
	[OPT_TOTAL_TIMEOUT] = { "total-timeout", 0, "SECONDS",
		"end all when all hosts together take longer" },
	[OPT_ORDERED] = { "ordered", 0, NULL,
		"show the answers in the order of the hosts" },
	[OPT_GATHER] = { "gather", 0, NULL,
		"show equal answers once, under all their hosts" },
	[OPT_WATCH] = { "watch", 0, "[SECONDS]",
		"show it anew so often (2), until ^C" },
	[OPT_BATCH] = { "batch", 0, "N|N%",
		"begin so many only after those before have ended" },
	[OPT_PAUSE] = { "pause", 0, "SECONDS", "wait between two batches" },
	[OPT_MAX_FAILURES] = { "max-failures", 0, "N|N%",
		"begin nothing new once more than these have failed" },
	[OPT_RESUME] = { "resume", 0, "FILE",
		"keep what is left to do there, and go on with it" },
	[OPT_EVENTS] = { "events", 0, "LIST",
		"only these, separated by commas" },
	[OPT_CLIENT] = { "client", 0, "NAME", "only what is about this one" },
	[OPT_TO] = { "to", 0, "NAME", "to this one alone, as who shows it" },
	[OPT_WALL] = { "wall", 0, NULL,
		"to the terminals of those logged in, too" },
	[OPT_HELP] = { "help", 'h', NULL, "explain the command and exit" },
	[OPT_VERSION] = { "version", 'V', NULL, "print the version and exit" },
};

const struct value option_values[OPT_COUNT] = {
	[OPT_USER] = { VALUE_USER, NULL },
	[OPT_SORT] = { VALUE_ORDER, NULL },
	[OPT_COLUMNS] = { VALUE_COLUMNS, NULL },
	[OPT_SIGNAL] = { VALUE_SIGNAL, NULL },
	[OPT_ESCALATE] = { VALUE_SIGNAL, NULL },
	[OPT_TYPE] = { VALUE_CHOICE, "p256|ed25519" },
	[OPT_FORMAT] = { VALUE_CHOICE, "ansible|nodeset|pdsh" },
	[OPT_EVENTS] = { VALUE_EVENTS, NULL },
	[OPT_HOSTS] = { VALUE_TARGET, NULL },
	[OPT_EXCLUDE] = { VALUE_TARGET, NULL },
	[OPT_HOSTS_FILE] = { VALUE_FILE, NULL },
	[OPT_IDENTITY] = { VALUE_FILE, NULL },
	[OPT_RESUME] = { VALUE_FILE, NULL },
};

#define LONG_BASE 256 /* past every letter */

static int
takes(int option)
{
	if (option_rows[option].value == NULL)
		return no_argument;
	return options_optional((enum option_number)option) ? optional_argument
							    : required_argument;
}

/* Turns the rows into what getopt_long(3) reads. */
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
	buf_addf(error, "there is no option %s", word);
	if ((nearest = text_nearest(word + 2, names)) != NULL)
		buf_addf(error, ": is it --%s?", nearest);
}

/* After getopt_long(3) has returned '?'. */
static void
unknown(const char *word, struct buf *error)
{
	if (optopt >= LONG_BASE)
		buf_addf(error, "--%s takes no value",
			option_rows[optopt - LONG_BASE].name);
	else if (optopt == 0)
		unknown_long(word, error);
	else if (isdigit((unsigned char)optopt))
		/* kill -9 is in everyone's fingers. */
		buf_addf(error,
			"there is no option -%c: a signal is given "
			"as -s %c",
			optopt, optopt);
	else
		buf_addf(error, "there is no option -%c", optopt);
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
	optind = 0; /* GNU: begin anew */
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
		o->given |= OPT_BIT(n);
		o->values[n] = optarg;
		/* getopt_long(3) would see it only behind an =. */
		if (optarg == NULL && optind < argc &&
			options_optional((enum option_number)n) &&
			is_number(argv[optind]))
			o->values[n] = argv[optind++];
	}
	return optind;
}
