/*
 * What bridled was told to do.
 */
#ifndef BRIDLE_COMMAND_LINE_H
#define BRIDLE_COMMAND_LINE_H

#include <stdbool.h>

struct options {
	const char *config;
	const char *pid_file;
	const char *access;
	const char *state_dir;
	bool fingerprint;
	bool daemonize;
	bool log_stderr;
	bool check;
	bool show;
	bool in_force;
	bool reload;
};

/*
 * Fills in what was given and leaves all else alone. Ends the program with
 * --help and --version, and where it does not understand.
 */
void command_line_parse(int argc, char **argv, struct options *);

#endif
