/*
 * Let the user edit a line on the terminal, while messages appear above the
 * line.
 *
 * The library libedit edits the line. The library is loaded only when an editor
 * is opened, so that other commands start fast. Without libedit, lines cannot
 * be edited.
 */
#ifndef BRIDLE_LINE_EDITOR_H
#define BRIDLE_LINE_EDITOR_H

#include <stdbool.h>
#include <stddef.h>

/* Take a line without its LF. At the end of input (^D), `line` is NULL. */
typedef void line_editor_taker(void *context, const char *line);

/*
 * Open an editor and show the prompt. Each typed line is passed to the
 * line_editor_taker. Return true. Return false if the terminal or libedit is
 * not available.
 */
bool line_editor_open(const char *prompt, line_editor_taker *, void *context);

/* Read typed characters. Call this function when standard input is readable. */
void line_editor_read(void);

/* Print complete lines above the line that the user is typing. */
void line_editor_print(const char *text);

/*
 * Close the editor, and restore the terminal. If no editor is open, do nothing.
 */
void line_editor_close(void);

#endif
