/*
 * The command line of bridled.
 */
#ifndef BRIDLE_COMMAND_LINE_H
#define BRIDLE_COMMAND_LINE_H

#include "conf_files.h"

#include <stdbool.h>

struct options {
	const char *config;
	const char *config_option; /* value of the option --config, or NULL */
	/* command_line_parse() does not set `folder` and `stand_in`. */
	const char *folder; /* path of the folder conf.d */
	/*
	 * file to read in place of a file in conf.d; `name` is NULL if there is
	 * no such file
	 */
	struct conf_stand_in stand_in;
	const char *pid_file;
	const char *access;
	/* value of --entry, which is a key or a name, or NULL */
	const char *entry;
	/* path of the file that `config` will replace, or NULL */
	const char *in_place_of;
	const char *state_dir;
	/*
	 * true if a service manager opens the TCP sockets; only `check` uses
	 * this
	 */
	bool passed;
	bool daemonize;
	bool log_stderr;
	/*
	 * These options are true or false. getopt_long(3) needs the type int.
	 */
	int fingerprint;
	int check;
	int show;
	int outline;
	int effective;
	int reload;
};

/*
 * Parse the command line into the struct. A member stays unchanged if the
 * command line does not have its option. Exit the process after --help,
 * --version or an error.
 */
void command_line_parse(int argc, char **argv, struct options *);

#endif
