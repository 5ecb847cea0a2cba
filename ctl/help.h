/*
 * What --help prints, made from the tables of commands and options.
 */
#ifndef BRIDLE_HELP_H
#define BRIDLE_HELP_H

#include "command.h"

/* NULL: all of bridlectl. */
void help_print(const struct command *);

#endif
