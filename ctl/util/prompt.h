/*
 * Asks the user questions on the terminal.
 */
#ifndef BRIDLE_PROMPT_H
#define BRIDLE_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* True if both stdin and stderr are terminals, so that the user can answer. */
bool prompt_terminal(void);

/*
 * Print the error that the command needs -y, because there is no terminal for a
 * question. If the command has a dry run, the message also offers -n.
 */
void prompt_refuse(const char *command, bool has_dry_run);

/*
 * Print "QUESTION [y/N] " on stderr and read a line from stdin. True only if
 * the line is "y" or "yes", in upper or lower case. False at the end of input.
 */
bool prompt_yes(const char *question);

/*
 * Print the question on stderr and read a line from stdin. True only if the
 * line is `number`. To type the number of hosts, the user must first read the
 * number.
 */
bool prompt_number(const char *question, size_t number);

/*
 * Print "QUESTION " on stderr and read a line from stdin. Repeat the question
 * until a line begins with one of the letters. `letters` are lower-case
 * letters, but the user may also type upper-case letters. Return the typed
 * letter in lower case. At the end of input or after ^C, return 0.
 */
char prompt_choice(const char *question, const char *letters);

#endif
