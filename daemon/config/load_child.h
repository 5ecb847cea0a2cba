/*
 * A child that reads and checks the configuration for a reload, because the
 * file system and the name service can hang. The child sends the texts of all
 * files and the ids of all users and groups to the parent. The parent therefore
 * need not look up any name. The child also sends the content of passwd(5) and
 * subuid(5).
 */
#ifndef BRIDLE_LOAD_CHILD_H
#define BRIDLE_LOAD_CHILD_H

#include "config/settings.h"
#include "sys/account_files.h"

#include <stdint.h>

#define LOAD_MS 10000 /* maximum milliseconds that the child may run */

enum load_state { LOAD_NONE, LOAD_RUNNING, LOAD_DONE };

/*
 * The state of a configuration file that a child loads. Initially, all members
 * are zero except fd = -1.
 */
struct load_child {
	enum load_state state;
	pid_t pid;     /* process ID of the child; 0 if reaped or killed */
	int fd;        /* pipe from the child, or -1 */
	int64_t began; /* clock_ms() at the start of the child */
	int64_t deadline;
	const char *failure; /* reason why there is no answer, or NULL */
	struct buf answer;
};

/*
 * Start a child that loads the file `path` and the files of the folder, as
 * settings_load() does. If an earlier child still runs, kill the earlier child
 * first. If the start fails, load_child_take() reports the error.
 */
void load_child_start(
	struct load_child *, const char *path, const char *folder);

/*
 * Read a part of the child's answer from `fd`. At the end of the answer, the
 * state becomes LOAD_DONE.
 */
void load_child_read(struct load_child *);

/*
 * If the deadline has passed, kill the child and set the state to LOAD_DONE.
 * Return the next deadline, or CLOCK_NEVER.
 */
int64_t load_child_expire(struct load_child *, int64_t now);

/*
 * Return the settings that the child has loaded, or NULL with lines in
 * `errors`, as settings_load() does. With the settings, replace the content of
 * the account files. The state must be LOAD_DONE. The function never blocks.
 */
struct settings *load_child_take(struct load_child *, const char *path,
	struct account_files *, struct buf *errors, struct buf *warnings);

/* Kill the child and free its answer. */
void load_child_end(struct load_child *);

/* True if the reaped child was the child of this load. */
bool load_child_reaped(struct load_child *, pid_t);

#endif
