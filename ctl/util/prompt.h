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
 * Print an error: without a terminal, the command needs -y as a confirmation.
 * If the command has a dry run, the message also offers -n.
 */
void prompt_refuse(const char *command, bool has_dry_run);

/*
 * Print "QUESTION [y/N] " on stderr and read a line from stdin. True only if
 * the line is "y" or "yes", in upper or lower case. False at the end of input.
 */
bool prompt_yes(const char *question);

/*
 * Print the question on stderr and read a line from stdin. True only if the
 * line is `number`. A user must read the number of hosts before typing it.
 */
bool prompt_number(const char *question, size_t number);

/*
 * Print "QUESTION " on stderr and read a line from stdin. Repeat this until a
 * line begins with one of the letters. `letters` are lower-case; the user may
 * also type upper-case letters. Return the typed letter in lower case, or 0 at
 * the end of input or after ^C.
 */
char prompt_choice(const char *question, const char *letters);

#endif
