/*
 * The daemon's settings, parsed from bridled.conf(5) and checked.
 *
 * Settings are read-only after the parser has made them. A reload makes new
 * settings, which replace all old settings.
 */
#ifndef BRIDLE_SETTINGS_H
#define BRIDLE_SETTINGS_H

#include "conf_files.h"
#include "config/pattern.h"
#include "net.h"
#include "verbs.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SETTINGS_FILE SYSCONFDIR "/bridle/bridled.conf"
/* path of the socket that the unit bridled.socket opens */
#define SETTINGS_SOCKET "/run/bridle/bridled.sock"
/* path of the socket for root that the unit bridled-root.socket opens */
#define SETTINGS_ROOT_SOCKET "/run/bridle/root.sock"
#define SETTINGS_ROOT_MODE 0600 /* mode of a socket for root */
#define SETTINGS_ARG_MAX 256    /* maximum bytes of a command's argument */
#define SETTINGS_INPUT_MAX (1u << 20)
#define SETTINGS_FOREVER INT64_MAX

/*
 * A list of names. `set` is false if the configuration does not have the list.
 * In that case, there is no limit. An empty list allows nothing.
 */
struct settings_names {
	bool set;
	size_t n;
	char **v;
	/* user IDs of a list of users, after their look-up; or NULL */
	uid_t *uids;
};

/*
 * A set of words, with a bit for each word. `set` is false if the configuration
 * does not have the set. In that case, there is no limit.
 */
struct settings_set {
	bool set;
	unsigned long long bits;
};

struct settings_networks {
	size_t n;
	struct net_block *v;
};

struct settings_listen {
	char *unix_path; /* path of the unix socket; NULL for TCP at `addr` */
	struct net_addr addr;
	mode_t mode;
	/* group of the socket file; NULL for the daemon's own group */
	char *group;
	gid_t gid; /* ID of `group`, after its look-up */
	bool root; /* true for a unix socket that only root may use */
	bool tls;
	bool insecure;
	const char *file; /* path of the file that has the entry */
	int line;         /* line of the entry; 0 for a built-in default */
};

enum settings_match {
	MATCH_UNIX_USER,
	MATCH_UNIX_GROUP,
	MATCH_KEY,
	MATCH_ANONYMOUS
};

struct settings_client {
	char *name;
	enum settings_match match;
	char *who; /* name of the user or group in the file */
	uid_t uid; /* user ID for MATCH_UNIX_USER */
	gid_t gid; /* group ID for MATCH_UNIX_GROUP */
	/* fingerprints of one or two keys, for MATCH_KEY */
	struct settings_names keys;
	/* networks from which the client can connect; if empty, any */
	struct settings_networks from;
	struct settings_set verbs; /* allowed verbs, a bit set of VERB_BIT(…) */
	bool wall; /* true if this client's `say` can write to terminals */
	/* true to hide the client's arguments from other clients */
	bool secret;
	struct settings_names run;
	/* MAC addresses that the client may wake */
	struct settings_names wake_macs;
	/* allowed halt modes, a bit set of 1 << enum halt_mode */
	struct settings_set modes;
	struct settings_names kill_names;
	struct settings_names kill_users;
	/* allowed signals, a bit set of 1ULL << (number - 1) */
	struct settings_set signals;
	char *until_text; /* value of the key `until`; NULL if it is not set */
	/*
	 * Time of CLOCK_REALTIME at which the entry expires, in seconds. The
	 * value is SETTINGS_FOREVER if the entry never expires.
	 */
	int64_t until;
	const char *file; /* path of the file that has the entry */
	int line;         /* line of the entry; 0 for a built-in default */
};

/*
 * The type of an argument. An argument of the type ARG_TEXT has a pattern or
 * choices.
 */
enum settings_arg_type { ARG_TEXT, ARG_INT };

struct settings_arg {
	char *name;
	char *pattern; /* pattern that the whole argument must match, or NULL */
	struct pattern *compiled;
	struct settings_names choices;
	int type;          /* a value of enum settings_arg_type */
	unsigned min, max; /* lowest and highest number, for ARG_INT */
	bool dash; /* true if the argument is allowed to begin with a dash */
};

enum settings_input { INPUT_NONE, INPUT_CLIENT };

struct settings_command {
	char *name;
	char *help;  /* one line that explains the command, or NULL */
	char **argv; /* program and arguments with {placeholders}, NULL-ended */
	size_t nargs;
	struct settings_arg *args;
	int input; /* a value of enum settings_input */
	/* maximum bytes of input; 0 means SETTINGS_INPUT_MAX */
	unsigned max_input;
	char *user;  /* user of the program; NULL means the daemon's own user */
	uid_t uid;   /* ID of `user`, after its look-up */
	char *group; /* group of the program; NULL means the group of `user` */
	gid_t gid;   /* ID of the group, after its look-up */
	char *directory;    /* working directory; NULL for / */
	char **environment; /* "NAME=value" texts, NULL-ended; or NULL */
	unsigned timeout;   /* time limit in seconds; 0 means request_seconds */
	unsigned max_output; /* maximum bytes of output for the client */
	unsigned nice;
	bool exclusive;
	unsigned queue; /* maximum number of waiting requests, if `exclusive` */
	bool detach;
	bool secret; /* true to hide the arguments from other clients */
	int line;
};

struct settings_limits {
	unsigned sessions;
	unsigned sessions_per_source;
	unsigned spare; /* number of spare sessions */
	unsigned actions;
	unsigned login_seconds;
	unsigned idle_seconds;
	unsigned request_seconds;
	unsigned heartbeat_seconds;
	unsigned watch_history; /* number of events in the history */
};

/* The reasons for a penalty of a source. */
enum penalty_cause {
	PENALTY_MALFORMED, /* malformed request: status 400, 413, 501 or 505 */
	PENALTY_UNKNOWN,   /* status 401: no entry of `clients` matches */
	PENALTY_UNKNOWN_KEY, /* status 401: no entry of `clients` has the key */
	PENALTY_HANDSHAKE,   /* a failed TLS handshake */
	/* status 408: a known client sent no request in time */
	PENALTY_TIMEOUT,
	PENALTY_CRASH, /* the session crashed, or sent a wrong message */
	PENALTY_CAUSES
};

struct settings_penalties {
	bool enabled;
	/* total penalty at which a source is blocked, in seconds */
	unsigned min_seconds;
	unsigned max_seconds;
	/* penalty for each cause in seconds, before doubling */
	unsigned seconds[PENALTY_CAUSES];
	unsigned sources; /* maximum number of sources in the table */
	/* maximum number of log lines about a source within log_seconds */
	unsigned log_lines;
	unsigned log_seconds;
	struct settings_names exempt_users;
	struct settings_networks exempt_from;
};

struct settings {
	/*
	 * The paths of the configuration file and of the files in conf.d, as
	 * the caller gave them. The first path is `path`.
	 */
	char **files;
	size_t nfiles;
	const char *path;
	size_t nlisten;
	struct settings_listen *listen;
	size_t nclients;
	struct settings_client *clients;
	size_t ncommands;
	struct settings_command *commands;
	char **power[HALT_MODES]; /* an argv template for each halt mode */
	char **cancel;
	/* argv of a program that prints the inhibitors; may be empty */
	char **inhibitors;
	/* argv of a program that prints the scheduled shutdown; may be empty */
	char **scheduled;
	/*
	 * argv of programs that print whether logind can suspend or hibernate;
	 * may be empty
	 */
	char **can_suspend;
	char **can_hibernate;
	bool override_inhibitors;
	/* argv of a program that writes to terminals; may be empty */
	char **wall;
	char *wake_socket; /* path of the socket of bridled-wake */
	struct settings_names protect;
	struct settings_limits limits;
	struct settings_penalties penalties;
	char *user;
	char *state_dir;
	int log_facility; /* facility for syslog(3), such as LOG_DAEMON */
	int log_level;    /* least urgent priority to log, such as LOG_INFO */
	unsigned stop_seconds;
};

/*
 * The results of look-ups for a configuration: the ids of users and groups, and
 * local times as numbers. If `given` is false, the parser asks the name service
 * and the time zone, and appends the result. If `given` is true, the parser
 * takes the results from `list`, which an earlier parse of the same text has
 * filled.
 */
struct settings_ids {
	bool given;
	/* results in the order of their look-ups, each an id_t or an int64_t */
	struct buf list;
	size_t used; /* bytes of `list` that the parser has used so far */
	/* true if a look-up has failed, but may succeed later */
	bool unanswered;
};

/*
 * Read, parse and check the file `path` and the files of the folder; see
 * conf_files_read(). Append a line to `errors` for each mistake ("FILE:LINE:
 * KEY: reason"). If the syntax is wrong, append only the line for the first
 * syntax error of each file. Append a line to `warnings` for each setting that
 * is legal but unwise. If `ids` is NULL, users and groups are not looked up.
 * Return the settings, or NULL if there was an error. The caller frees the
 * settings with settings_free().
 */
struct settings *settings_load(const char *path, const char *folder,
	struct settings_ids *ids, struct buf *errors, struct buf *warnings);

/*
 * Like settings_load(), but read another file in place of a file of the folder;
 * see conf_files_read_with().
 */
struct settings *settings_load_with(const char *path, const char *folder,
	const struct conf_stand_in *, struct settings_ids *ids,
	struct buf *errors, struct buf *warnings);

/*
 * Like settings_load(), but for the texts of files. The first file is the
 * configuration file. The other files are the files of conf.d.
 */
struct settings *settings_parse_files(const struct conf_files *,
	struct settings_ids *ids, struct buf *errors, struct buf *warnings);

/*
 * Like settings_parse_files(), but for one text. In messages, `name` stands for
 * the file name.
 */
struct settings *settings_parse(const char *text, const char *name,
	struct settings_ids *ids, struct buf *errors, struct buf *warnings);

/*
 * Return the state_dir that the text of a configuration file sets, or the
 * default state_dir. The rest of the text can be wrong. Return NULL if no
 * memory is available. The caller frees the result.
 */
char *settings_state_dir(const char *text);

/* Append each key with its value, in the syntax of the configuration file. */
void settings_print(const struct settings *, struct buf *);

/*
 * Match an argument against its rule, and subtract the used steps from *steps.
 * All arguments of a request share the same steps; see pattern.h.
 */
enum pattern_result settings_arg_match(
	const struct settings_arg *, const char *text, unsigned *steps);

/*
 * True if the list has the name. The name has `len` bytes, and need not end
 * with NUL.
 */
bool settings_has_name(const struct settings_names *, const char *, size_t len);

/* True if a network in the list contains the address. */
bool settings_has_address(
	const struct settings_networks *, const struct net_addr *);

/* Return the command with this name, or NULL. */
const struct settings_command *settings_find_command(
	const struct settings *, const char *name);

/* Append a network, such as "10.1.0.0/16". */
void settings_print_network(const struct net_block *, struct buf *);

/*
 * Append the time at which an entry expires or has expired, such as "2027-02-01
 * 00:00:00 +0100 (CET)". The entry must have the key `until`.
 */
void settings_print_until(const struct settings_client *, struct buf *);

/* True if a listener uses TLS. The daemon then needs a host key. */
bool settings_has_tls(const struct settings *);

/* Free the settings, which may be NULL. */
void settings_free(struct settings *);

#endif
