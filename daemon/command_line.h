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
	/* command_line_parse() does not set these two members */
	const char *folder; /* path of the folder conf.d */
	/* file that stands for a file of conf.d, or a name of NULL */
	struct conf_stand_in stand_in;
	const char *pid_file;
	const char *access;
	const char *entry; /* a key or a name, for --entry, or NULL */
	/* path of the file that `config` will replace, or NULL */
	const char *in_place_of;
	const char *state_dir;
	/* true if a service manager opens the TCP sockets; for `check` */
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
 * Parse the command line into the struct. Members without an option stay
 * unchanged. Exit after --help, --version and errors.
 */
void command_line_parse(int argc, char **argv, struct options *);

#endif
