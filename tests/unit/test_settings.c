#include "config/settings.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include <cmocka.h>

const char *__lsan_default_suppressions(void);

/* Ignore a leak in libconfig 1.5, which loses a string at a syntax error. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

/*
 * The result of parsing a text: the settings (NULL after an error) and the
 * messages.
 */
struct outcome {
	struct settings *settings;
	struct buf errors;
	struct buf warnings;
};

/*
 * Split a text into files. A line "#= NAME" begins the file NAME of conf.d. The
 * file before the first such line has the name "test".
 */
static void
split_files(const char *text, struct conf_files *files)
{
	char *copy = strdup(text), *at = copy, *name = NULL, *next;

	for (; at != NULL; at = next) {
		if ((next = strstr(at, "\n#= ")) != NULL) {
			next[1] = '\0';
			next += strlen("\n#= ");
		}
		assert_int_equal(
			conf_files_add(files, name != NULL ? name : "test", at),
			0);
		if ((name = next) == NULL)
			break;
		next = strchr(next, '\n');
		assert_non_null(next);
		*next++ = '\0';
	}
	free(copy);
}

static struct outcome
parse_with(const char *text, bool resolve)
{
	struct settings_ids ids = { 0 };
	struct conf_files files = { 0 };
	struct outcome o = { 0 };

	split_files(text, &files);
	o.settings = settings_parse_files(
		&files, resolve ? &ids : NULL, &o.errors, &o.warnings);
	conf_files_free(&files);
	buf_free(&ids.list);
	assert_int_equal(o.settings == NULL, o.errors.len > 0);
	buf_str(&o.errors);
	buf_str(&o.warnings);
	return o;
}

static struct outcome
parse(const char *text)
{
	return parse_with(text, false);
}

static struct outcome
parse_good(const char *text)
{
	struct outcome o = parse(text);

	if (o.settings == NULL)
		fail_msg("%s", o.errors.data);
	return o;
}

static void
end(struct outcome *o)
{
	settings_free(o->settings);
	buf_free(&o->errors);
	buf_free(&o->warnings);
}

static char *
print(const struct settings *s)
{
	struct buf text = { 0 };

	settings_print(s, &text);
	buf_str(&text);
	assert_false(text.failed);
	return text.data;
}

static char *
read_source(const char *path)
{
	const char *srcdir = getenv("srcdir");
	struct buf name = { 0 }, text = { 0 };
	FILE *in;
	int c;

	buf_addf(&name, "%s/%s", srcdir != NULL ? srcdir : ".", path);
	if ((in = fopen(buf_str(&name), "re")) == NULL)
		fail_msg("%s cannot be read", name.data);
	while ((c = getc(in)) != EOF)
		buf_addc(&text, (char)c);
	fclose(in);
	buf_str(&text);
	buf_free(&name);
	return text.data;
}

static const char everything[] =
	"listen = ( { unix = \"/tmp/b.sock\"; mode = \"0600\"; group = \"7\"; "
	"},"
	"  { tcp = \"127.0.0.1:7074\"; },"
	"  { tcp = \"[::]:7072\"; insecure = true; } );"
	"clients = ("
	"  { name = \"teacher\"; unix_user = \"eve\";"
	"    from = (\"127.0.0.0/8\", \"2001:db8::/32\", \"::1\");"
	"    allow = (\"list\", \"kill\", \"halt\", \"run\");"
	"    run = (\"restart\"); halt = { modes = (\"poweroff\"); };"
	"    kill = { names = (\"a b\", \"c\\\"\\\\\"); users = (\"1000\");"
	"      signals = (\"TERM\", \"9\", \"RTMIN+1\", \"64\", \"32\"); }; },"
	"  { name = \"nobody\"; unix_group = \"100\"; allow = ();"
	"    until = \"2027-01-31 18:00\";"
	"    halt = { modes = (); }; kill = { names = (); users = ();"
	"      signals = (); }; run = (); },"
	"  { name = \"k\"; allow = (\"*\"); key = ("
	"    \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
	"    \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE\"); },"
	"  { name = \"any\"; anonymous = true; allow = \"ping\"; } );"
	"commands = ( { name = \"restart\";"
	"  argv = (\"/bin/systemctl\", \"{unit}\", \"--n={n}\", \"\\x01\\n\");"
	"  args = { unit = \"nginx|php8\\.2-fpm\";"
	"    n = { pattern = \"-?[0-9]{1,3}\"; dash = true; }; };"
	"  timeout = 30; detach = true; help = \"Start it anew\";"
	"  stdin = \"client\"; max_input = 5; max_output = 6; nice = 7;"
	"  user = \"1000\"; group = \"1001\"; directory = \"/srv\";"
	"  environment = { LANG = \"de_DE\"; X_1 = \"\"; };"
	"  exclusive = true; queue = 8; },"
	"  { name = \"logs\";"
	"  argv = (\"/bin/logs\", \"{which}\", \"{lines}\");"
	"  args = { which = { choices = (\"mail\", \"-a\"); dash = true; };"
	"    lines = { type = \"int\"; min = 1; max = 100; }; }; } );"
	"power = { halt = (\"/bin/h\", \"{when}\"); cancel = \"/bin/c\"; };"
	"protect = [\"a\", \"\xe2\x80\xae\xff\"];"
	"limits = { sessions = 0x20; sessions_per_source = 2; actions = 3L;"
	"  login_seconds = 4; idle_seconds = 5; request_seconds = 6; };"
	"penalties = { enabled = false; min_seconds = 7; max_seconds = 8;"
	"  malformed = 0; unknown = 9; unknown_key = 10; handshake = 11;"
	"  timeout = 12; crash = 13; sources = 16; log_lines = 14;"
	"  log_seconds = 15; exempt = { users = (\"nagios\", \"77\");"
	"    from = (\"10.1.0.0/16\", \"2001:db8::1\"); }; };"
	"user = \"nobody\" state_dir = \"/tmp/b\";"
	"log = { facility = \"local3\"; level = \"debug\"; }; stop_seconds = "
	"0;";

static void
test_defaults(void **state)
{
	struct outcome o = parse_good("");
	const struct settings *s = o.settings;

	(void)state;
	assert_int_equal(s->nlisten, 1);
	assert_string_equal(s->listen[0].unix_path, "/run/bridle/bridled.sock");
	assert_int_equal(s->listen[0].mode, 0666);
	assert_null(s->listen[0].group);
	assert_int_equal(s->listen[0].line, 0);
	assert_int_equal(s->nclients, 2);
	assert_int_equal(s->clients[0].match, MATCH_UNIX_USER);
	assert_int_equal(s->clients[0].uid, (uid_t)-1);
	assert_int_equal(s->clients[1].match, MATCH_UNIX_GROUP);
	assert_int_equal(s->clients[1].verbs.bits, VERB_ALL);
	assert_false(s->clients[1].kill_names.set);
	assert_int_equal(s->ncommands, 0);
	assert_string_equal(s->power[HALT_REBOOT][1], "-r");
	assert_string_equal(s->cancel[1], "-c");
	assert_null(s->cancel[2]);
	assert_int_equal(s->protect.n, 2);
	assert_int_equal(s->limits.sessions, 256);
	assert_int_equal(s->log_facility, LOG_DAEMON);
	assert_int_equal(s->log_level, LOG_INFO);
	assert_int_equal(s->stop_seconds, 10);
	assert_string_equal(s->path, "test");
	assert_int_equal(o.warnings.len, 0);
	end(&o);
}

static void
test_penalties(void **state)
{
	struct outcome o = parse_good("");
	const struct settings_penalties *p = &o.settings->penalties;

	(void)state;
	assert_true(p->enabled);
	assert_true(p->seconds[PENALTY_CRASH] >= p->min_seconds);
	assert_int_equal(p->exempt_users.n, 0);
	assert_int_equal(p->exempt_from.n, 0);
	end(&o);
	o = parse_good(everything);
	p = &o.settings->penalties;
	assert_false(p->enabled);
	assert_int_equal(p->min_seconds, 7);
	assert_int_equal(p->max_seconds, 8);
	assert_int_equal(p->seconds[PENALTY_MALFORMED], 0);
	assert_int_equal(p->seconds[PENALTY_UNKNOWN], 9);
	assert_int_equal(p->seconds[PENALTY_UNKNOWN_KEY], 10);
	assert_int_equal(p->seconds[PENALTY_HANDSHAKE], 11);
	assert_int_equal(p->seconds[PENALTY_TIMEOUT], 12);
	assert_int_equal(p->seconds[PENALTY_CRASH], 13);
	assert_int_equal(p->sources, 16);
	assert_int_equal(p->log_lines, 14);
	assert_int_equal(p->log_seconds, 15);
	assert_string_equal(p->exempt_users.v[0], "nagios");
	assert_int_equal(p->exempt_users.uids[0], (uid_t)-1);
	assert_int_equal(p->exempt_from.n, 2);
	assert_int_equal(p->exempt_from.v[0].bits, 112);
	end(&o);
}

static void
test_listen(void **state)
{
	struct outcome o = parse_good(everything);
	const struct settings *s = o.settings;

	(void)state;
	assert_int_equal(s->nlisten, 3);
	assert_int_equal(s->listen[0].mode, 0600);
	assert_int_equal(s->listen[0].gid, (gid_t)-1);
	assert_int_equal(s->listen[0].line, 1);
	assert_null(s->listen[1].unix_path);
	assert_true(net_is_loopback(&s->listen[1].addr));
	assert_int_equal(s->listen[2].addr.sa.sa_family, AF_INET6);
	assert_true(s->listen[2].insecure);
	end(&o);
}

static void
test_listen_root(void **state)
{
	struct outcome o =
		parse_good("listen = ( { unix = \"/a\"; root = true; }, "
			   "{ unix = \"/b\"; } );");
	const struct settings_listen *l = o.settings->listen;

	(void)state;
	assert_true(l[0].root);
	assert_int_equal(l[0].mode, 0600);
	assert_false(l[1].root);
	assert_int_equal(l[1].mode, 0660);
	end(&o);
}

static void
test_clients(void **state)
{
	struct outcome o = parse_good(everything);
	const struct settings_client *c = o.settings->clients;

	(void)state;
	assert_int_equal(o.settings->nclients, 4);
	assert_string_equal(c[0].who, "eve");
	assert_int_equal(c[0].from.n, 3);
	assert_int_equal(c[0].from.v[0].bits, 104);
	assert_int_equal(c[0].verbs.bits,
		VERB_BIT(VERB_LIST) | VERB_BIT(VERB_KILL) |
			VERB_BIT(VERB_HALT) | VERB_BIT(VERB_RUN));
	assert_int_equal(c[0].modes.bits, 1 << HALT_POWEROFF);
	assert_string_equal(c[0].kill_names.v[1], "c\"\\");
	assert_int_equal(c[0].kill_users.uids[0], (uid_t)-1);
	assert_true(c[0].signals.bits ==
		    (1ULL << (SIGTERM - 1) | 1ULL << (SIGKILL - 1) |
			    1ULL << SIGRTMIN | 1ULL << 63 | 1ULL << 31));
	assert_true(c[1].modes.set && c[1].modes.bits == 0);
	assert_true(c[1].signals.set && c[1].signals.bits == 0);
	assert_true(c[1].run.set && c[1].run.n == 0);
	assert_true(c[1].kill_users.set && c[1].kill_users.n == 0);
	assert_int_equal(c[1].verbs.bits, 0);
	assert_int_equal(c[2].match, MATCH_KEY);
	assert_int_equal(c[2].keys.n, 2);
	assert_int_equal(c[3].match, MATCH_ANONYMOUS);
	assert_int_equal(c[3].verbs.bits, VERB_BIT(VERB_PING));
	assert_int_equal(c[3].uid, (uid_t)-1);
	end(&o);
}

static bool
arg_matches(const struct settings_arg *arg, const char *text)
{
	unsigned steps = PATTERN_STEPS;

	return settings_arg_match(arg, text, &steps) == PATTERN_MATCHES;
}

static void
test_commands(void **state)
{
	struct outcome o = parse_good(everything);
	const struct settings_command *c = o.settings->commands;

	(void)state;
	assert_int_equal(o.settings->ncommands, 2);
	assert_string_equal(c->argv[3], "\x01\n");
	assert_null(c->argv[4]);
	assert_int_equal(c->nargs, 2);
	assert_string_equal(c->args[0].pattern, "nginx|php8\\.2-fpm");
	assert_false(c->args[0].dash);
	assert_true(c->args[1].dash);
	assert_true(arg_matches(&c->args[0], "php8.2-fpm"));
	assert_int_equal(c->timeout, 30);
	assert_true(c->detach);
	assert_string_equal(c->help, "Start it anew");
	assert_int_equal(c->input, INPUT_CLIENT);
	assert_int_equal(c->max_input, 5);
	assert_int_equal(c->max_output, 6);
	assert_int_equal(c->nice, 7);
	assert_string_equal(c->directory, "/srv");
	assert_string_equal(c->environment[0], "LANG=de_DE");
	assert_string_equal(c->environment[1], "X_1=");
	assert_null(c->environment[2]);
	assert_true(c->exclusive);
	assert_int_equal(c->queue, 8);
	assert_int_equal(c[1].input, INPUT_NONE);
	assert_int_equal(c[1].max_output, 1 << 20);
	assert_false(c[1].exclusive);
	end(&o);
}

static void
test_arguments(void **state)
{
	static const struct {
		int arg;
		const char *text;
		bool good;
	} rows[] = { { 0, "mail", true }, { 0, "-a", true }, { 0, "", false },
		{ 0, "mai", false }, { 0, "mail|-a", false }, { 1, "1", true },
		{ 1, "100", true }, { 1, "0", false }, { 1, "101", false },
		{ 1, "007", false }, { 1, "+7", false }, { 1, " 7", false },
		{ 1, "7\n", false }, { 1, "", false },
		{ 1, "99999999999999999999", false } };
	struct outcome o = parse_good(everything);
	const struct settings_command *c = &o.settings->commands[1];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (arg_matches(&c->args[rows[i].arg], rows[i].text) !=
			rows[i].good)
			fail_msg("\"%s\"", rows[i].text);
	/*
	 * A pattern must match the whole argument, even if the pattern has
	 * alternatives.
	 */
	c = o.settings->commands;
	assert_true(arg_matches(&c->args[0], "nginx"));
	assert_false(arg_matches(&c->args[0], "nginxx"));
	assert_false(arg_matches(&c->args[0], "php8.2-fpm\n"));
	assert_false(arg_matches(&c->args[0], "x\nnginx"));
	end(&o);
}

/*
 * Test that a key keeps its default if the text does not set this key. A list
 * in the text must replace the whole default list.
 */
static void
test_partial(void **state)
{
	struct outcome o = parse_good("limits = { actions = 5; };"
				      "power = { halt = (\"/h\"); };"
				      "log = { level = \"err\"; };"
				      "protect = ();");
	const struct settings *s = o.settings;

	(void)state;
	assert_int_equal(s->limits.actions, 5);
	assert_int_equal(s->limits.sessions, 256);
	assert_string_equal(s->power[HALT_HALT][0], "/h");
	assert_null(s->power[HALT_HALT][1]);
	assert_string_equal(s->power[HALT_POWEROFF][1], "-P");
	assert_int_equal(s->log_facility, LOG_DAEMON);
	assert_int_equal(s->log_level, LOG_ERR);
	assert_true(s->protect.set);
	assert_int_equal(s->protect.n, 0);
	end(&o);
}

static void
test_resolve(void **state)
{
	struct outcome o = parse_with(
		"listen = ( { unix = \"/a\"; group = \"root\"; } );"
		"clients = ( { name = \"a\"; unix_user = \"root\"; allow = (); "
		"},"
		"  { name = \"b\"; unix_user = \"4242\"; allow = (\"kill\");"
		"    kill = { users = (\"root\", \"77\"); }; },"
		"  { name = \"c\"; unix_group = \"root\"; allow = (); } );",
		true);
	const struct settings *s = o.settings;

	(void)state;
	assert_non_null(s);
	assert_int_equal(s->listen[0].gid, 0);
	assert_int_equal(s->clients[0].uid, 0);
	assert_int_equal(s->clients[0].gid, (gid_t)-1);
	assert_int_equal(s->clients[1].uid, 4242);
	assert_int_equal(s->clients[1].kill_users.uids[0], 0);
	assert_int_equal(s->clients[1].kill_users.uids[1], 77);
	assert_int_equal(s->clients[2].gid, 0);
	end(&o);
}

/*
 * Parse two client entries. Return true if a warning says that the second entry
 * is never used.
 */
static bool
is_unreached(const char *first, const char *second)
{
	struct buf text = { 0 };
	struct outcome o;
	bool found;

	buf_addf(&text,
		"listen = ( { unix = \"/a\"; } ); clients = ("
		" { name = \"a\"; allow = (); %s },"
		" { name = \"b\"; allow = (); %s } );",
		first, second);
	o = parse_with(buf_str(&text), true);
	assert_non_null(o.settings);
	found = strstr(buf_str(&o.warnings), "clients[1] (b): is never used") !=
		NULL;
	buf_free(&text);
	end(&o);
	return found;
}

static void
test_unreached_clients(void **state)
{
	(void)state;
	/*
	 * The entry of the group `root` matches first, because the user `root`
	 * is a member of this group.
	 */
	assert_true(is_unreached(
		"unix_group = \"root\";", "unix_user = \"root\";"));
	assert_true(
		is_unreached("unix_user = \"root\";", "unix_user = \"0\";"));
	assert_false(is_unreached(
		"unix_user = \"root\";", "unix_group = \"root\";"));
	assert_false(
		is_unreached("unix_user = \"4242\";", "unix_user = \"root\";"));
	assert_false(is_unreached(
		"unix_group = \"4242\";", "unix_user = \"root\";"));
	assert_false(
		is_unreached("unix_user = \"root\"; from = (\"127.0.0.1\");",
			"unix_user = \"root\";"));
	assert_false(is_unreached("anonymous = true; from = (\"10.1.2.0/24\");",
		"anonymous = true; from = (\"10.1.2.3\", \"10.0.0.0/8\");"));
}

/* Test that conf/bridled.conf gives the same settings as an empty file. */
static void
test_shipped_file(void **state)
{
	char *text = read_source("conf/bridled.conf"), *ours, *shipped;
	struct outcome none = parse_good(""), file = parse_good(text);

	(void)state;
	ours = print(none.settings);
	shipped = print(file.settings);
	assert_string_equal(shipped, ours);
	assert_int_equal(file.warnings.len, 0);
	free(ours);
	free(shipped);
	free(text);
	end(&none);
	end(&file);
}

/* Fail unless the file contains the name of each key. */
static void
check_names_all_keys(const char *path)
{
	static const char *const keys[] = { "listen", "unix", "mode", "group",
		"tcp", "insecure", "clients", "name", "unix_user", "unix_group",
		"key", "anonymous", "from", "until", "allow", "run", "modes",
		"names", "users", "signals", "commands", "argv", "args",
		"pattern", "dash", "timeout", "detach", "power", "halt",
		"poweroff", "reboot", "cancel", "protect", "limits", "sessions",
		"sessions_per_source", "actions", "login_seconds",
		"idle_seconds", "request_seconds", "penalties", "enabled",
		"min_seconds", "max_seconds", "malformed", "unknown",
		"unknown_key", "handshake", "timeout", "crash", "sources",
		"log_lines", "log_seconds", "exempt", "user", "state_dir",
		"log", "facility", "level", "stop_seconds" };
	char *text = read_source(path);
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strstr(text, keys[i]) == NULL)
			fail_msg("%s does not name %s", path, keys[i]);
	free(text);
}

static void
test_all_keys_are_told(void **state)
{
	(void)state;
	check_names_all_keys("conf/bridled.conf");
	check_names_all_keys("man/bridled.conf.5");
}

static void
check_fixed_point(const char *text)
{
	struct outcome first = parse_good(text), second;
	char *printed = print(first.settings), *again;

	second = parse_good(printed);
	again = print(second.settings);
	assert_string_equal(again, printed);
	free(again);
	free(printed);
	end(&first);
	end(&second);
}

static void
test_print(void **state)
{
	(void)state;
	check_fixed_point("");
	check_fixed_point(everything);
	check_fixed_point("commands = (); clients = (); protect = ();");
	check_fixed_point("listen = ( { unix = \"/a\"; root = true; } );");
}

/*
 * Test that bytes which could control a terminal are escaped in printed
 * settings.
 */
static void
test_print_is_safe(void **state)
{
	struct outcome o = parse_good(everything);
	char *text = print(o.settings);

	(void)state;
	assert_non_null(strstr(text, "\"\\xe2\\x80\\xae\\xff\""));
	assert_non_null(strstr(text, "\"\\x01\\x0a\""));
	free(text);
	end(&o);
}

static void
test_warnings(void **state)
{
	static const struct {
		const char *text, *warning;
	} rows[] = {
		{ "clients = ();", "test:1: warning: clients: has no entry" },
		{ "clients = ( { name = \"a\"; allow = (); unix_user = "
		  "\"root\"; },  { name = \"b\"; allow = (); unix_user = "
		  "\"root\"; } );",
			"test:1: warning: clients[1] (b): is never used, "
			"because a (test:1) comes first" },
		{ "clients = ( { name = \"a\"; allow = (); unix_group = "
		  "\"root\"; },  { name = \"b\"; allow = (); unix_group = "
		  "\"root\"; from = (\"127.0.0.1\"); } );",
			"clients[1] (b): is never used" },
		{ "clients = ( { name = \"a\"; allow = (); anonymous = true; "
		  "from = (\"10.0.0.0/8\", \"::/0\"); },  { name = \"b\"; "
		  "allow = (); anonymous = true; from = (\"10.1.2.0/24\", "
		  "\"fe80::/10\"); } );",
			"clients[1] (b): is never used" },
		{ "clients = ( { name = \"a\"; allow = (); key = "
		  "(\"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\", "
		  "\"SHA256:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"); }, "
		  " { name = \"b\"; allow = (); key = "
		  "\"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"; } "
		  ");",
			"clients[1] (b): is never used" },
		{ "clients = ( { name = \"a\"; allow = (); key = "
		  "\"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"; }, "
		  " { name = \"b\"; allow = (); key = "
		  "(\"SHA256:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\", "
		  "\"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"); } "
		  ");",
			"clients[1].key (b): "
			"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA is "
			"never used here, because a (test:1) comes first" },
		{ "commands = ( { name = \"a\"; argv = (\"/bin/sh\"); } );",
			"/bin/sh can run any program" },
		{ "commands = ( { name = \"a\"; argv = (\"/python3.11\"); } );",
			"/python3.11 can run any program" },
		{ "commands = ( { name = \"a\"; argv = (\"/a\", \"{x}\");"
		  " args = { x = \"(.|\n)+\"; }; } );",
			"lets everything through" },
		{ "user = \"nobody\"; commands = ( { name = \"a\";"
		  " argv = (\"/a\"); user = \"root\"; } );",
			"a daemon with user = \"nobody\" cannot run a command "
			"as root" },
#define PATTERN(text)                                            \
	"commands = ( { name = \"a\"; argv = (\"/a\", \"{x}\");" \
	" args = { x = \"" text "\"; }; } );"
		{ PATTERN("[a-z]*"), "matches an empty argument too" },
		{ PATTERN("[a-z./]+"), "lets \"..\" through" },
		{ PATTERN("[^;]+"), "lets line ends through" },
		{ PATTERN("nginx|php8.2-fpm"), "a dot matches any" },
		{ PATTERN("nginx | apache2"), "the spaces around |" },
		{ PATTERN("[A-z]+"), "A-z also matches" },
#undef PATTERN
		{ "power = { halt = (\"/usr/bin/env\", \"{when}\"); };",
			"power.halt: /usr/bin/env can run any program" },
		{ "power = { reboot = (\"/sbin/reboot\"); };",
			"power.reboot: has no {when}" },
		{ "clients = ( { name = \"a\"; allow = (); key = \"SHA256:"
		  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"; } );",
			"no client can use this key: no listener has tls" },
		{ "listen = ( { tcp = \"[::]:7075\"; tls = true; } );"
		  "clients = ( { name = \"a\"; allow = (); key = \"SHA256:"
		  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"; } );",
			"the key may be used from any address" },
		{ "clients = ( { name = \"a\"; unix_user = \"root\";"
		  " allow = (\"list\"); kill = { names = (); }; } );",
			"clients[0].kill (a): has no effect: allow does not" },
		{ "clients = ( { name = \"a\"; unix_user = \"root\";"
		  " allow = (); from = \"10.0.0.0/8\"; } );",
			"users of this machine never connect from" },
		{ "clients = ( { name = \"a\"; anonymous = true;"
		  " allow = \"halt\"; } );",
			"may do more than look" },
		{ "limits = { sessions = 20; sessions_per_source = 21; };",
			"sessions_per_source is above sessions" },
	};
	struct outcome o;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		o = parse_good(rows[i].text);
		if (strstr(o.warnings.data, rows[i].warning) == NULL)
			fail_msg("%s is not in:\n%s", rows[i].warning,
				o.warnings.data);
		end(&o);
	}
}

/* Test that settings without errors and risks cause no warnings. */
static void
test_no_warnings(void **state)
{
	struct outcome o = parse_good(
		"listen = ( { tcp = \"[::]:7075\"; tls = true; } );"
		"clients = ( { name = \"a\"; unix_user = \"root\";"
		"  from = (\"127.0.0.1\"); allow = (\"halt\", \"kill\");"
		"  kill = { names = (\"x\"); }; },"
		"  { name = \"k\"; from = \"10.0.0.0/8\"; allow = \"halt\";"
		"  key = \"SHA256:"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"; },"
		"  { name = \"b\"; anonymous = true; allow = (\"list\"); } );"
		"power = { halt = (\"/sbin/shutdown\", \"{when}\"); };");

	(void)state;
	assert_string_equal(o.warnings.data, "");
	end(&o);
}

static void
test_missing_program(void **state)
{
	struct outcome o = parse_with(
		"listen = ( { tcp = \"127.0.0.1:7074\"; } );"
		"clients = ( { name = \"a\"; unix_user = \"0\"; allow = (); } "
		");"
		"power = { halt = (\"/no/such/program\", \"{when}\"); };",
		true);

	(void)state;
	assert_non_null(o.settings);
	assert_non_null(strstr(o.warnings.data,
		"power.halt: /no/such/program: No such file or directory"));
	end(&o);
}

/*
 * Fail unless the file is refused, and each TEXT of its first lines "#! TEXT"
 * occurs in the errors.
 */
static void
check_bad(const char *name)
{
	char *text, *line, *next;
	struct outcome o;
	struct buf path = { 0 };

	buf_addf(&path, "tests/unit/settings-bad/%s", name);
	text = read_source(buf_str(&path));
	buf_free(&path);
	o = parse_with(text, true);
	if (o.settings != NULL)
		fail_msg("%s is taken for good", name);
	assert_int_equal(strncmp(text, "#! ", 3), 0);
	for (line = text; strncmp(line, "#! ", 3) == 0; line = next + 1) {
		if ((next = strchr(line, '\n')) == NULL)
			fail_msg("%s has no end", name);
		*next = '\0';
		if (strstr(o.errors.data, line + 3) == NULL)
			fail_msg("%s: \"%s\" is not in:\n%s", name, line + 3,
				o.errors.data);
	}
	end(&o);
	free(text);
}

static void
test_bad_files(void **state)
{
	const char *srcdir = getenv("srcdir");
	struct buf path = { 0 };
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	(void)state;
	buf_addf(&path, "%s/tests/unit/settings-bad",
		srcdir != NULL ? srcdir : ".");
	dir = opendir(buf_str(&path));
	buf_free(&path);
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strstr(entry->d_name, ".conf") == NULL)
			continue;
		check_bad(entry->d_name);
		n++;
	}
	closedir(dir);
	assert_true(n > 40);
}

/* Test that parsing a file reports all errors, not only the first error. */
static void
test_errors_at_once(void **state)
{
	struct outcome o = parse("usr = 1;\nlimits = { actions = 0; };\n"
				 "listen = ( { tcp = \"x\"; } );\n");

	(void)state;
	assert_non_null(strstr(o.errors.data, "test:1: usr: "));
	assert_non_null(strstr(o.errors.data, "test:2: limits.actions: "));
	assert_non_null(strstr(o.errors.data, "test:3: listen[0].tcp: "));
	end(&o);
}

/* Test that the memory of all patterns together is limited. */
static void
test_patterns_share_a_limit(void **state)
{
	struct buf text = { 0 };
	struct outcome o;
	unsigned i;

	(void)state;
	buf_adds(&text, "commands = (");
	for (i = 0; i < 4000; i++)
		buf_addf(&text,
			"%s{ name = \"c%u\"; argv = (\"/bin/echo\", \"{a}\");"
			" args = { a = \"(a{1,99}){1,300}\"; }; }",
			i ? "," : "", i);
	buf_adds(&text, ");");
	o = parse(buf_str(&text));
	assert_non_null(strstr(o.errors.data, "more than 8 MiB of memory"));
	/* There is only one error, for the total of all patterns. */
	assert_string_equal(strchr(o.errors.data, '\n'), "\n");
	end(&o);
	buf_free(&text);
}

/*
 * Test that a file which is truncated at any byte causes no memory leak and no
 * crash.
 */
static void
test_every_prefix(void **state)
{
	char text[sizeof(everything)];
	struct outcome o;
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(everything); len++) {
		memcpy(text, everything, len);
		text[len] = '\0';
		o = parse(text);
		end(&o);
	}
}

#define DROP_IN                                                          \
	"#= conf.d/a.conf\n"                                             \
	"listen = ( { tcp = \"[::1]:7074\"; } );\n"                      \
	"clients = (\n"                                                  \
	" { name = \"anna\"; unix_user = \"1001\"; allow = (); } );\n"   \
	"#= conf.d/b.conf\n"                                             \
	"clients = ( { name = \"bo\"; unix_user = \"1002\"; allow = ();" \
	" } );\n"

/* Test that the entries of conf.d follow the entries of the main file. */
static void
test_drop_ins(void **state)
{
	struct outcome o = parse_good(
		"listen = ( { unix = \"/a\"; } );\n"
		"clients = ( { name = \"z\"; unix_user = \"0\"; allow = ();"
		" } );\n" DROP_IN);
	const struct settings *s = o.settings;
	char *text;

	(void)state;
	assert_int_equal(s->nfiles, 3);
	assert_string_equal(s->path, "test");
	assert_int_equal(s->nlisten, 2);
	assert_string_equal(s->listen[0].file, "test");
	assert_string_equal(s->listen[1].file, "conf.d/a.conf");
	assert_int_equal(s->nclients, 3);
	assert_string_equal(s->clients[0].name, "z");
	assert_string_equal(s->clients[1].name, "anna");
	assert_string_equal(s->clients[1].file, "conf.d/a.conf");
	assert_int_equal(s->clients[1].line, 3);
	assert_string_equal(s->clients[2].name, "bo");
	assert_string_equal(s->clients[2].file, "conf.d/b.conf");
	assert_string_equal(o.warnings.data, "");
	text = print(s);
	assert_non_null(strstr(text, "# conf.d/b.conf\n\tname = \"bo\";"));
	assert_null(strstr(text, "# test"));
	free(text);
	end(&o);
}

/* Test that entries of conf.d do not replace the default entries. */
static void
test_drop_ins_keep_defaults(void **state)
{
	struct outcome o = parse_good("stop_seconds = 3;\n" DROP_IN);
	const struct settings *s = o.settings;

	(void)state;
	assert_int_equal(s->nlisten, 2);
	assert_string_equal(s->listen[0].unix_path, SETTINGS_SOCKET);
	assert_int_equal(s->nclients, 4);
	assert_string_equal(s->clients[0].name, "root");
	assert_int_equal(s->clients[0].line, 0);
	assert_string_equal(s->clients[1].name, "admins");
	assert_string_equal(s->clients[2].name, "anna");
	assert_int_equal(s->stop_seconds, 3);
	end(&o);
}

/*
 * Test that a warning names the file and the line of the entry that decides.
 */
static void
test_drop_in_unreached(void **state)
{
	struct outcome o =
		parse_good("clients = (\n\n"
			   " { name = \"z\"; unix_user = \"1001\"; allow = ();"
			   " } );\n" DROP_IN);

	(void)state;
	assert_string_equal(o.warnings.data,
		"conf.d/a.conf:3: warning: clients[0] (anna): is never used, "
		"because z (test:3) comes first and matches the same "
		"clients: put the narrower entry first\n");
	end(&o);
	o = parse_good("\n#= conf.d/a.conf\nclients = ( { name = \"a\";"
		       " unix_user = \"root\"; allow = (); } );\n");
	assert_non_null(strstr(o.warnings.data,
		"because root (built-in defaults) comes first"));
	end(&o);
}

/*
 * Parse `value` as the key `until` in the time zone `zone`. Return the time in
 * seconds since 1970.
 */
static int64_t
until(const char *zone, const char *value)
{
	struct buf text = { 0 };
	struct outcome o;
	int64_t t;

	setenv("TZ", zone, 1);
	buf_addf(&text,
		"clients = ( { name = \"a\"; unix_user = \"0\"; allow = ();"
		" until = \"%s\"; } );",
		value);
	o = parse_good(buf_str(&text));
	t = o.settings->clients[0].until;
	end(&o);
	buf_free(&text);
	unsetenv("TZ");
	return t;
}

/* These zones need no files of the machine; see tzset(3). */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define SANTIAGO "<-04>4<-03>,M9.1.0/0,M4.1.0/0"

/*
 * Test that a day ends with its last second. If a clock shows a time twice or
 * never, the later point in time must be used.
 */
static void
test_until(void **state)
{
	static const struct {
		const char *zone, *value;
		int64_t seconds;
	} rows[] = {
		{ "UTC0", "1970-01-01", 86400 },
		{ "UTC0", "2027-01-31", 1801440000 },
		{ "UTC0", "2027-01-31 18:00", 1801418400 },
		{ "UTC0", "2027-01-31 18:00:07", 1801418407 },
		{ "UTC0", "2028-02-29 23:59", 1835481540 },
		{ BERLIN, "2027-01-31", 1801436400 },
		{ BERLIN, "2027-07-31 18:00", 1817049600 },
		/* 2027-03-28 02:00 CET is 03:00 CEST, at 01:00 UTC. */
		{ BERLIN, "2027-03-28 01:59", 1806195540 },
		{ BERLIN, "2027-03-28 02:30", 1806197400 },
		{ BERLIN, "2027-03-28 03:00", 1806195600 },
		{ BERLIN, "2027-03-28", 1806271200 },
		/* 2027-10-31 03:00 CEST is 02:00 CET, at 01:00 UTC. */
		{ BERLIN, "2027-10-31 01:59", 1824940740 },
		{ BERLIN, "2027-10-31 02:30", 1824946200 },
		{ BERLIN, "2027-10-31", 1825023600 },
		/*
		 * The first midnight does not exist, and the second midnight
		 * exists twice.
		 */
		{ SANTIAGO, "2027-09-04", 1820116800 },
		{ SANTIAGO, "2027-04-03", 1806811200 },
		{ "EST5", "2027-01-31", 1801458000 },
	};
	size_t i;
	int64_t t;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		t = until(rows[i].zone, rows[i].value);
		if (t != rows[i].seconds)
			fail_msg("%s in %s: %lld, not %lld", rows[i].value,
				rows[i].zone, (long long)t,
				(long long)rows[i].seconds);
	}
}

/* Parse an entry that expires after `seconds`, and return the outcome. */
static struct outcome
expires_after(int64_t seconds)
{
	time_t at = time(NULL) + seconds;
	struct buf text = { 0 };
	struct outcome o;
	char value[64];
	struct tm tm;

	strftime(value, sizeof(value), "%F %T", localtime_r(&at, &tm));
	buf_addf(&text,
		"listen = ( { unix = \"/a\"; } );\n"
		"clients = ( { name = \"a\"; unix_user = \"0\"; allow = ();\n"
		" until = \"%s\"; } );",
		value);
	o = parse_with(buf_str(&text), true);
	assert_non_null(o.settings);
	buf_free(&text);
	return o;
}

static void
test_until_warnings(void **state)
{
	struct outcome o;
	struct buf time = { 0 };

	(void)state;
	setenv("TZ", BERLIN, 1);
	o = expires_after(8 * 86400);
	assert_string_equal(o.warnings.data, "");
	end(&o);
	o = expires_after(6 * 86400);
	settings_print_until(&o.settings->clients[0], &time);
	assert_non_null(strstr(buf_str(&time), "(CE"));
	assert_non_null(strstr(o.warnings.data,
		"test:3: warning: clients[0].until (a): expires within a week, "
		"at 2"));
	assert_non_null(strstr(o.warnings.data, time.data));
	buf_free(&time);
	end(&o);
	o = expires_after(-1);
	assert_non_null(strstr(o.warnings.data, "has expired at 2"));
	end(&o);
	unsetenv("TZ");
}

static void
test_load_missing(void **state)
{
	struct buf errors = { 0 };

	(void)state;
	assert_null(settings_load(
		"/no/such/file", "/no/such/folder", NULL, &errors, NULL));
	assert_string_equal(buf_str(&errors),
		"/no/such/file: cannot be opened: No such file or directory\n");
	buf_free(&errors);
	settings_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_listen_root),
		cmocka_unit_test(test_penalties),
		cmocka_unit_test(test_clients),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_resolve),
		cmocka_unit_test(test_unreached_clients),
		cmocka_unit_test(test_shipped_file),
		cmocka_unit_test(test_all_keys_are_told),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_is_safe),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_no_warnings),
		cmocka_unit_test(test_missing_program),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_errors_at_once),
		cmocka_unit_test(test_patterns_share_a_limit),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_drop_ins),
		cmocka_unit_test(test_drop_ins_keep_defaults),
		cmocka_unit_test(test_drop_in_unreached),
		cmocka_unit_test(test_until),
		cmocka_unit_test(test_until_warnings),
		cmocka_unit_test(test_load_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
