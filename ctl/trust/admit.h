/*
 * Admits a client by the client's key. Writes an entry of `clients` to a
 * separate file in conf.d, and applies the configuration.
 */
#ifndef BRIDLE_ADMIT_H
#define BRIDLE_ADMIT_H

#include "buf.h"
#include "cli/exit_status.h"
#include "tls.h"

#include <stdbool.h>

enum admit_mode {
	ADMIT_ENTRY,    /* create or change the entry of this key */
	ADMIT_ADD_KEY,  /* add the key to the entry */
	ADMIT_DROP_OLD, /* remove all other keys from the entry */
	/* write a new entry, even if the present entry has another key */
	ADMIT_REPLACE
};

/* The values of an admission. If a value is not given, the member is NULL. */
struct admit {
	const char *file; /* path of bridled.conf */
	const char *key;  /* fingerprint of the client's key */
	const char *name; /* name of the client */
	const char *allow;
	const char *from;
	const char *until;
	const char *listen; /* address of a TLS listener to open */
	enum admit_mode mode;
	bool dry_run;
};

enum admit_state {
	ADMIT_CREATED,
	ADMIT_CHANGED,
	ADMIT_UNCHANGED /* the file already had the new text */
};

/* The words for the states, as in "created". */
extern const char *const admit_state_names[];

struct admitted {
	enum admit_state state;
	/* fingerprint of the host key */
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf listeners; /* the TLS addresses, each followed by LF */
	struct buf plan;      /* for a dry run: the files and their texts */
	bool no_program;      /* true if bridled could not be run */
};

/*
 * Check the form of all values. Returns 0, or -1 with a sentence appended to
 * error. No value that passes this check can break the syntax of the
 * configuration.
 */
int admit_check(const struct admit *, struct buf *error);

/*
 * Ignore SIGINT and the signals of a closed terminal or connection. Call this
 * function before admit_run() and admit_revoke(). Otherwise such a signal could
 * leave a half-applied configuration.
 */
void admit_ignore_signals(void);

/*
 * Carry out a checked admission. For a dry run, change nothing. Return
 * OUTCOME_DONE. On failure, leave the files unchanged, print messages and
 * return another outcome. In both cases, the caller must call admitted_free().
 * Like config_apply(), the function can run for up to a minute.
 */
enum outcome admit_run(const struct admit *, struct admitted *);

void admitted_free(struct admitted *);

/*
 * End the access of the client with this name. Return OUTCOME_DONE, or another
 * outcome after printing messages. The client's entry must be in a separate
 * file in conf.d, without other entries. Otherwise nothing is changed.
 */
enum outcome admit_revoke(const char *file, const char *name, bool dry_run);

#endif
