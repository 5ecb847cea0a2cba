/*
 * What may stand next on the command line, for the shells: their scripts in
 * conf/completion/ call "bridlectl --complete WORD...".
 */
#ifndef BRIDLE_COMPLETE_H
#define BRIDLE_COMPLETE_H

#define COMPLETE_OPTION "--complete"

/*
 * The words are those that follow the program's name, without the shell's
 * quotes, up to the cursor. The last is the one to be completed; it may be
 * empty. What it may become goes to stdout, a line each, see candidates.h.
 *
 * Whatever goes wrong, there are only fewer of them. No other machine is
 * asked, and this one's daemon has half a second to answer.
 */
void complete_print(int nwords, char **words);

#endif
