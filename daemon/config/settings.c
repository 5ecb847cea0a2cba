#include "config/settings_schema.h"

#include <stdlib.h>
#include <string.h>

/*
 * The minimum of limits.sessions: 16 sessions reserved for unix sockets, and
 * one session for TCP.
 */
#define SESSIONS_MIN 17
#define SESSIONS_MAX 65536
#define DAY 86400

/*
 * Arguments of busctl(1) that call systemd-logind, see
 * org.freedesktop.login1(5).
 */
#define LOGIND                          \
	" \"org.freedesktop.login1\","  \
	" \"/org/freedesktop/login1\"," \
	" \"org.freedesktop.login1.Manager\","
#define LOGIND_CALL "\"/usr/bin/busctl\", \"--timeout=5\", \"call\"," LOGIND
#define LOGIND_GET \
	"\"/usr/bin/busctl\", \"--timeout=5\", \"get-property\"," LOGIND

/*
 * The defaults of all keys, in the syntax of the configuration file. A test
 * checks that the shipped file has the same values.
 */
static const char defaults[] =
	"listen = ( { unix = \"" SETTINGS_SOCKET "\";"
	" mode = \"0666\"; } );\n"
	"clients = ("
	" { name = \"root\"; unix_user = \"root\"; allow = (\"*\");"
	" wall = true; },"
	" { name = \"admins\"; unix_group = \"bridle\"; allow = (\"*\");"
	" wall = true; } );\n"
	"commands = ();\n"
	"power = {\n"
	"halt = (\"/usr/sbin/shutdown\", \"-H\", \"--\","
	" \"{when}\", \"{message}\");\n"
	"poweroff = (\"/usr/sbin/shutdown\", \"-P\", \"--\","
	" \"{when}\", \"{message}\");\n"
	"reboot = (\"/usr/sbin/shutdown\", \"-r\", \"--\","
	" \"{when}\", \"{message}\");\n"
	"cancel = (\"/usr/sbin/shutdown\", \"-c\");\n"
	"suspend = (\"/usr/bin/systemctl\", \"suspend\");\n"
	"hibernate = (\"/usr/bin/systemctl\", \"hibernate\");\n"
	"can_suspend = (" LOGIND_CALL " \"CanSuspend\");\n"
	"can_hibernate = (" LOGIND_CALL " \"CanHibernate\");\n"
	"inhibitors = (" LOGIND_CALL " \"ListInhibitors\");\n"
	"scheduled = (" LOGIND_GET " \"ScheduledShutdown\");\n"
	"override_inhibitors = false;\n"
	"};\n"
	"wall = (\"/usr/bin/wall\");\n"
	"wake_socket = \"" RUNDIR "/bridle/wake.sock\";\n"
	"protect = (\"sshd\", \"systemd-logind\");\n"
	"limits = { sessions = 256; sessions_per_source = 16; spare = 4;"
	" actions = 64;"
	" login_seconds = 10; idle_seconds = 300; request_seconds = 60;"
	" heartbeat_seconds = 30; watch_history = 1000; };\n"
	"penalties = { enabled = true; min_seconds = 30; max_seconds = 600;"
	" malformed = 1; unknown = 5; unknown_key = 5; handshake = 5;"
	" timeout = 10; crash = 90; sources = 1024;"
	" log_lines = 20; log_seconds = 60;"
	" exempt = { users = (); from = (); }; };\n"
	"user = \"bridle\";\n"
	"state_dir = \"/var/lib/bridle\";\n"
	"log = { facility = \"daemon\"; level = \"info\"; };\n"
	"stop_seconds = 10;\n";

static const char *const halt_placeholders[] = { "when", "message", NULL };
static const char *const no_placeholders[] = { NULL };

#define SETTING(field, ...) KEY(struct settings, field, __VA_ARGS__)
#define POWER(field, name)                      \
	SETTING(field, name, program, .min = 1, \
		.placeholders = halt_placeholders)
#define QUERY(field, name) \
	SETTING(field, name, program, .placeholders = no_placeholders)
#define LIMIT(field, low, high) \
	SETTING(limits.field, #field, number, .min = low, .max = high)

static const struct key power_keys[] = {
	POWER(power[HALT_HALT], "halt"),
	POWER(power[HALT_POWEROFF], "poweroff"),
	POWER(power[HALT_REBOOT], "reboot"),
	SETTING(cancel, "cancel", program, .min = 1,
		.placeholders = no_placeholders),
	QUERY(power[HALT_SUSPEND], "suspend"),
	QUERY(power[HALT_HIBERNATE], "hibernate"),
	QUERY(can_suspend, "can_suspend"),
	QUERY(can_hibernate, "can_hibernate"),
	QUERY(inhibitors, "inhibitors"),
	QUERY(scheduled, "scheduled"),
	SETTING(override_inhibitors, "override_inhibitors", switch),
	{ .name = NULL },
};

static const struct key limit_keys[] = {
	LIMIT(sessions, SESSIONS_MIN, SESSIONS_MAX),
	LIMIT(sessions_per_source, 1, SESSIONS_MAX),
	LIMIT(spare, 1, 64),
	LIMIT(actions, 1, SESSIONS_MAX),
	LIMIT(login_seconds, 1, 3600),
	LIMIT(idle_seconds, 1, DAY),
	LIMIT(request_seconds, 1, DAY),
	LIMIT(heartbeat_seconds, 1, 3600),
	LIMIT(watch_history, 16, 100000),
	{ .name = NULL },
};

static const struct key log_keys[] = {
	SETTING(log_facility, "facility", word, .words = &facility_words),
	SETTING(log_level, "level", word, .words = &level_words),
	{ .name = NULL },
};

static const struct key keys[] = {
	WHOLE_KEY("listen", entries, .entries = &settings_listen_entries,
		.drop_in = true),
	WHOLE_KEY("clients", entries, .entries = &settings_client_entries,
		.drop_in = true),
	WHOLE_KEY("commands", entries, .entries = &settings_command_entries),
	WHOLE_KEY("power", group, .keys = power_keys),
	QUERY(wall, "wall"),
	SETTING(wake_socket, "wake_socket", path),
	SETTING(protect, "protect", names),
	WHOLE_KEY("limits", group, .keys = limit_keys),
	WHOLE_KEY("penalties", group, .keys = settings_penalty_keys),
	SETTING(user, "user", text),
	SETTING(state_dir, "state_dir", path),
	WHOLE_KEY("log", group, .keys = log_keys),
	SETTING(stop_seconds, "stop_seconds", number, .max = 3600),
	{ .name = NULL },
};

/*
 * Read each key from the file, or from the defaults if the file does not have
 * the key. Do the same for each key of a group.
 */
static void
read_keys(struct reader *file, struct reader *builtin)
{
	const config_setting_t *given =
		config_root_setting(&file->conf->config);
	const config_setting_t *fallback =
		config_root_setting(&builtin->conf->config);
	const char *known[KEYS_MAX + 1] = { NULL };
	const struct key *key;

	for (key = keys; key->name != NULL; key++) {
		known[key - keys] = key->name;
		if (conf_member(given, key->name) == NULL ||
			key->kind == &kind_group)
			key_read(builtin, fallback, key, file->settings);
		key_read(file, given, key, file->settings);
	}
	conf_keys(file->conf, given, known);
}

/* Read the keys of a file in conf.d. */
static void
read_drop_in(struct reader *r)
{
	const config_setting_t *given = config_root_setting(&r->conf->config);
	const char *known[KEYS_MAX + 1] = { NULL };
	const config_setting_t *at;
	const struct key *key;

	r->first_listen = r->settings->nlisten;
	r->first_client = r->settings->nclients;
	for (key = keys; key->name != NULL; key++) {
		known[key - keys] = key->name;
		at = conf_member(given, key->name);
		if (at != NULL && !key->drop_in)
			conf_error(r->conf, at,
				"belongs in %s: this file may have only "
				"clients and listen",
				r->settings->path);
		else
			key_read(r, given, key, r->settings);
	}
	conf_keys(r->conf, given, known);
}

/*
 * Check rules that concern several keys, after each key has been checked alone.
 * `r` reads the configuration file.
 */
static void
check_whole(struct reader *r)
{
	const struct settings *s = r->settings;

	settings_check_penalties(r);
	settings_check_commands(r);
	if (s->nlisten == 0)
		conf_error(r->conf, config_lookup(&r->conf->config, "listen"),
			"names no socket: add { unix = \"…\" } or "
			"{ tcp = \"…\" }");
	if (s->nclients == 0)
		conf_warn(r->conf, config_lookup(&r->conf->config, "clients"),
			"has no entry, so no client may do anything");
	if (s->limits.sessions_per_source > s->limits.sessions)
		conf_warn(r->conf, config_lookup(&r->conf->config, "limits"),
			"sessions_per_source is above sessions, so it has no "
			"effect");
}

/* One file of the configuration, with the reader of its keys. */
struct source {
	struct conf conf;
	struct reader reader;
};

/* Read and check the keys of all files. The first file is the main file. */
static void
read_sources(struct source *sources, size_t n, struct reader *builtin)
{
	size_t i;

	read_keys(&sources[0].reader, builtin);
	for (i = 1; i < n; i++)
		read_drop_in(&sources[i].reader);
	for (i = 0; i < n; i++)
		settings_check_clients(&sources[i].reader);
	check_whole(&sources[0].reader);
}

/*
 * Read the files into the settings. The caller has already checked the syntax
 * of each file. Return false after an error.
 */
static bool
build(struct settings *s, struct source *sources, size_t n,
	struct settings_ids *ids)
{
	struct buf *errors = sources[0].conf.errors;
	struct conf fallback;
	struct reader builtin = { .conf = &fallback,
		.settings = s,
		.ids = ids,
		.builtin = true,
		.file = s->path };
	bool failed;
	size_t i;

	/*
	 * Collect no warnings about the defaults, because the file may replace
	 * them.
	 */
	conf_open_text(&fallback, defaults, "built-in defaults", errors, NULL);
	for (i = 0; i < n; i++)
		sources[i].reader = (struct reader){ .conf = &sources[i].conf,
			.settings = s,
			.ids = ids,
			.file = s->files[i] };
	if (!fallback.failed)
		read_sources(sources, n, &builtin);
	failed = fallback.failed;
	for (i = 0; i < n; i++)
		failed |= sources[i].conf.failed;
	conf_close(&fallback);
	return !failed;
}

/*
 * Copy the paths of the files to the settings. Return false if no memory is
 * available.
 */
static bool
copy_paths(struct settings *s, const struct conf_files *f)
{
	if ((s->files = calloc(f->n + 1, sizeof(*s->files))) == NULL)
		return false;
	for (; s->nfiles < f->n; s->nfiles++)
		if ((s->files[s->nfiles] = strdup(f->v[s->nfiles].name)) ==
			NULL)
			return false;
	s->path = s->files[0];
	return true;
}

struct settings *
settings_load_with(const char *path, const char *folder,
	const struct conf_stand_in *stand_in, struct settings_ids *ids,
	struct buf *errors, struct buf *warnings)
{
	struct settings *s = NULL;
	struct conf_files files;

	if (conf_files_read_with(&files, path, folder, stand_in, errors) == 0)
		s = settings_parse_files(&files, ids, errors, warnings);
	conf_files_free(&files);
	return s;
}

struct settings *
settings_load(const char *path, const char *folder, struct settings_ids *ids,
	struct buf *errors, struct buf *warnings)
{
	return settings_load_with(path, folder, NULL, ids, errors, warnings);
}

struct settings *
settings_parse_files(const struct conf_files *f, struct settings_ids *ids,
	struct buf *errors, struct buf *warnings)
{
	struct source *sources = calloc(f->n + 1, sizeof(*sources));
	struct settings *s = calloc(1, sizeof(*s));
	bool good = true;
	size_t i;

	if (sources == NULL || s == NULL || !copy_paths(s, f)) {
		buf_addf(errors, "%s: out of memory\n", f->v[0].name);
		settings_free(s);
		free(sources);
		return NULL;
	}
	for (i = 0; i < f->n; i++)
		good &= conf_open_text(&sources[i].conf, f->v[i].text,
				f->v[i].name, errors, warnings) == 0;
	good = good && build(s, sources, f->n, ids);
	for (i = 0; i < f->n; i++)
		conf_close(&sources[i].conf);
	free(sources);
	if (good)
		return s;
	settings_free(s);
	return NULL;
}

struct settings *
settings_parse(const char *text, const char *name, struct settings_ids *ids,
	struct buf *errors, struct buf *warnings)
{
	struct settings *s = NULL;
	struct conf_files files = { 0 };

	if (conf_files_add(&files, name, text) == 0)
		s = settings_parse_files(&files, ids, errors, warnings);
	else
		buf_addf(errors, "%s: out of memory\n", name);
	conf_files_free(&files);
	return s;
}

static char *
find_state_dir(const char *text)
{
	struct buf errors = { 0 };
	struct conf conf;
	char *dir = NULL;

	if (conf_open_text(&conf, text, "", &errors, NULL) == 0)
		conf_string(
			&conf, config_lookup(&conf.config, "state_dir"), &dir);
	conf_close(&conf);
	buf_free(&errors);
	return dir;
}

char *
settings_state_dir(const char *text)
{
	char *dir = find_state_dir(text);

	return dir != NULL ? dir : find_state_dir(defaults);
}

void
settings_print(const struct settings *s, struct buf *out)
{
	struct printer p = { .out = *out, .main_file = s->path };

	keys_print(&p, keys, s);
	*out = p.out;
}

void
settings_free(struct settings *s)
{
	if (s == NULL)
		return;
	keys_free(keys, s);
	while (s->nfiles > 0)
		free(s->files[--s->nfiles]);
	free(s->files);
	free(s);
}
