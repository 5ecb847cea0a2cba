/*
 * Prints the text of --help from the tables of commands and options.
 */
#ifndef BRIDLE_HELP_H
#define BRIDLE_HELP_H

#include "cli/command.h"

/*
 * Print the help for one command. If the command is NULL, print the help for
 * bridlectl as a whole.
 */
void help_print(const struct command *const *commands, const struct command *);

#endif
