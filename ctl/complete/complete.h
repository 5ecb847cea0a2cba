/*
 * Completes a command line. The shells' scripts in conf/completion/ call
 * "bridlectl --complete WORD...".
 */
#ifndef BRIDLE_COMPLETE_H
#define BRIDLE_COMPLETE_H

#include "cli/command.h"

#define COMPLETE_OPTION "--complete"

/*
 * Print the candidates for the last word, in the format of candidates.h. The
 * words begin after the program's name and end at the cursor. The caller has
 * removed the shell's quotes. The last word may be empty.
 *
 * After an error, candidates may be missing, but no message is printed. No
 * other machine is contacted. The local daemon must reply within half a second.
 */
void complete_print(
	const struct command *const *commands, int nwords, char **words);

#endif
