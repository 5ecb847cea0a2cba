/*
 * The daemon's settings: what bridled.conf(5) says, parsed and checked.
 *
 * Settings are read-only once made, and are replaced as a whole on reload.
 */
#ifndef BRIDLE_SETTINGS_H
#define BRIDLE_SETTINGS_H

#include "net.h"
#include "verbs.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#define SETTINGS_FILE SYSCONFDIR "/bridle/bridled.conf"
#define SETTINGS_ARG_MAX 256 /* bytes of a command's argument */
#define SETTINGS_INPUT_MAX (1u << 20)

/* A list that may be absent: absent is no limit, () allows nothing. */
struct settings_names {
	bool set;
	size_t n;
	char **v;
};

struct settings_networks {
	size_t n;
	struct net_block *v;
};

struct settings_listen {
	char *unix_path; /* NULL: it is TCP, at `addr` */
	struct net_addr addr;
	mode_t mode;
	char *group; /* NULL: the daemon's own */
	gid_t gid;   /* of `group`, once resolved */
	bool tls;
	bool insecure;
	int line;
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
	char *who;                  /* the user's or group's name as written */
	uid_t uid;                  /* MATCH_UNIX_USER, once resolved */
	gid_t gid;                  /* MATCH_UNIX_GROUP, once resolved */
	struct settings_names keys; /* MATCH_KEY: "SHA256:…", one or two */
	size_t nfrom;
	struct net_block *from; /* none: from anywhere */
	unsigned verbs;         /* VERB_BIT(…), or-ed */
	bool wall;              /* what it says may go to terminals */
	bool secret;            /* nobody sees the arguments of its requests */
	struct settings_names run;
	bool modes_set;
	unsigned modes; /* 1 << enum halt_mode, or-ed */
	struct settings_names kill_names;
	struct settings_names kill_users;
	uid_t *kill_uids; /* one for each of kill_users, once resolved */
	bool signals_set;
	unsigned long long signals; /* 1ULL << (number - 1), or-ed */
	int line;
};

/* By what an argument is judged: always by exactly one of these. */
enum settings_arg_type { ARG_TEXT, ARG_INT };

struct settings_arg {
	char *name;
	char *pattern; /* of all of it; NULL: it goes by the others */
	struct settings_names choices;
	int type;          /* enum settings_arg_type */
	unsigned min, max; /* ARG_INT */
	bool dash;         /* a leading '-' is allowed */
};

enum settings_input { INPUT_NONE, INPUT_CLIENT };

struct settings_command {
	char *name;
	char *help;  /* one line; may be NULL */
	char **argv; /* NULL-ended template with {placeholders} */
	size_t nargs;
	struct settings_arg *args;
	int input;          /* enum settings_input */
	unsigned max_input; /* bytes, of INPUT_CLIENT; 0: SETTINGS_INPUT_MAX */
	char *user;         /* NULL: the daemon's own */
	uid_t uid;          /* of `user`, once resolved */
	char *group;        /* NULL: that of `user` */
	gid_t gid;          /* likewise */
	char *directory;    /* NULL: / */
	size_t nenvironment;
	char **environment;  /* NULL-ended, "NAME=value"; may be NULL */
	unsigned timeout;    /* seconds, 0: request_seconds */
	unsigned max_output; /* bytes that are passed on */
	unsigned nice;
	bool exclusive;
	unsigned queue; /* of `exclusive`: so many wait, others are refused */
	bool detach;
	bool secret; /* nobody sees its arguments */
	int line;
};

struct settings_limits {
	unsigned sessions;
	unsigned sessions_per_source;
	unsigned spare; /* sessions that wait for a client */
	unsigned actions;
	unsigned login_seconds;
	unsigned idle_seconds;
	unsigned request_seconds;
	unsigned heartbeat_seconds;
	unsigned watch_history; /* records */
};

/* What the source of a connection is penalized for. */
enum penalty_cause {
	PENALTY_MALFORMED,   /* a request that is none: 400, 413, 501, 505 */
	PENALTY_UNKNOWN,     /* 401: no entry of clients matches it */
	PENALTY_UNKNOWN_KEY, /* the same, of one that came with a key */
	PENALTY_HANDSHAKE,   /* TLS did not come about */
	PENALTY_TIMEOUT,     /* 408: no request of a known client in time */
	PENALTY_CRASH, /* its session died of a bug, or fell out of step */
	PENALTY_CAUSES
};

struct settings_penalties {
	bool enabled;
	unsigned min_seconds; /* of penalty, and a source is shut out */
	unsigned max_seconds;
	unsigned seconds[PENALTY_CAUSES]; /* that each adds the first time */
	unsigned sources;                 /* remembered at most */
	unsigned log_lines; /* of one source's mistakes, in log_seconds */
	unsigned log_seconds;
	struct settings_names exempt_users;
	uid_t *exempt_uids; /* one for each of exempt_users, once resolved */
	struct settings_networks exempt_from;
};

struct settings {
	char *path; /* the file, as it was named */
	size_t nlisten;
	struct settings_listen *listen;
	size_t nclients;
	struct settings_client *clients;
	size_t ncommands;
	struct settings_command *commands;
	char **power[HALT_MODES]; /* NULL-ended argv templates */
	char **cancel;
	char **inhibitors; /* asks who holds a halt back; may be empty */
	char **scheduled;  /* asks what is scheduled; may be empty */
	bool override_inhibitors;
	char **wall; /* writes to terminals; may be empty */
	struct settings_names protect;
	struct settings_limits limits;
	struct settings_penalties penalties;
	char *user;
	char *state_dir;
	int log_facility; /* LOG_DAEMON… */
	int log_level;    /* LOG_INFO…: what is less urgent is not logged */
	unsigned stop_seconds;
};

/*
 * Reads, parses and checks the file. All mistakes are appended to `errors`,
 * a line each ("FILE:LINE: KEY: what is wrong"), all semantic ones at once;
 * what is legal but unwise goes to `warnings`. Users and groups are looked up
 * where `resolve` is set, which a mere look at the file does not need.
 * Returns NULL if there was an error. Free with settings_free().
 */
struct settings *settings_load(const char *path, bool resolve,
	struct buf *errors, struct buf *warnings);

/* The same for a text: no file is opened; `name` stands in the messages. */
struct settings *settings_parse(const char *text, const char *name,
	bool resolve, struct buf *errors, struct buf *warnings);

/*
 * The state_dir that a file's text names, or the default if it names none,
 * whatever else is wrong in it. The caller's to free; NULL without memory.
 */
char *settings_state_dir(const char *text);

/* Writes every key with its value in force, in the file's own syntax. */
void settings_print(const struct settings *, FILE *);

/* Whether the rule of an argument allows this text, a leading dash apart. */
bool settings_arg_matches(const struct settings_arg *, const char *text);

/* NULL is allowed. */
void settings_free(struct settings *);

#endif
