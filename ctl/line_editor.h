/*
 * A line that is edited on the terminal while others come in above it.
 *
 * The editing is libedit's. It is loaded when it is needed, so that no other
 * command pays for it, and where it is not installed there is none.
 */
#ifndef BRIDLE_LINE_EDITOR_H
#define BRIDLE_LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

/* Takes a line without its LF; NULL: the end, by ^D. */
typedef void line_editor_taker(void *context, const char *line);

/* Shows the prompt. False: there is no terminal, or no libedit. */
bool line_editor_open(const char *prompt, line_editor_taker *, void *context);

/* Standard input is readable: takes what was typed. */
void line_editor_read(void);

/* Shows whole lines above the one that is being typed. */
void line_editor_print(const char *text);

/* The terminal is as it was before. May be called without an open one. */
void line_editor_close(void);

#endif
