#include "cmd/line_editor.h"

#include "config.h"
#include "util/text_width.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A function that libedit calls with each typed line. */
typedef void line_handler(char *);

/* The functions and variables of libedit that this file uses. */
static struct {
	void (*install)(const char *prompt, line_handler *);
	void (*remove)(void);
	void (*read_char)(void);
	int (*update)(void);
	int (*add_history)(const char *);
	char **text;
	int *point;
} lib;

static struct {
	bool open;
	/* true from the end of a line to the beginning of the next line */
	bool taken;
	const char *prompt;
	line_editor_taker *take;
	void *context;
} editor;

#ifdef WITH_LIBEDIT
static bool
load(void)
{
	static const char *const names[] = { "libedit.so.2", "libedit.so.0" };
	const struct {
		const char *name;
		void *to;
	} symbols[] = { { "rl_callback_handler_install", &lib.install },
		{ "rl_callback_handler_remove", &lib.remove },
		{ "rl_callback_read_char", &lib.read_char },
		{ "rl_forced_update_display", &lib.update },
		{ "add_history", &lib.add_history },
		{ "rl_line_buffer", &lib.text }, { "rl_point", &lib.point } };
	void *handle = NULL, *symbol;
	size_t i;

	for (i = 0; handle == NULL && i < sizeof(names) / sizeof(names[0]); i++)
		handle = dlopen(names[i], RTLD_NOW);
	for (i = 0; handle && i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		if ((symbol = dlsym(handle, symbols[i].name)) == NULL)
			return false;
		memcpy(symbols[i].to, &symbol, sizeof(symbol));
	}
	return handle != NULL;
}
#else
static bool
load(void)
{
	return false;
}
#endif

/*
 * Return the number of rows from the prompt down to the cursor. `columns` is
 * the width of the prompt and the text before the cursor.
 */
static size_t
row_of(size_t columns)
{
	return columns / text_width_terminal(STDOUT_FILENO);
}

/*
 * Move the cursor `up` rows up to the row of the prompt. Clear this row and all
 * rows below.
 */
static void
clear_rows(size_t up)
{
	if (up > 0)
		printf("\033[%zuA", up);
	fputs("\r\033[J", stdout);
}

static size_t
width_typed(const char *text, size_t len)
{
	struct buf partial_line = { 0 };
	size_t width;

	buf_add(&partial_line, text, strnlen(text, len));
	width = text_width(editor.prompt) + text_width(buf_str(&partial_line));
	buf_free(&partial_line);
	return width;
}

/*
 * Pass a typed line to editor.take(), and free the line. First clear the line
 * on the screen, because the daemon sends the line back as a message. At the
 * end of input, `line` is NULL.
 */
static void
take_line(char *line)
{
	editor.taken = true;
	if (line != NULL) {
		clear_rows(1 + row_of(width_typed(line, strlen(line))));
		if (*line != '\0')
			lib.add_history(line);
	} else {
		putchar('\n');
	}
	fflush(stdout);
	editor.take(editor.context, line);
	free(line);
}

static void
begin_line(void)
{
	editor.taken = false;
	*lib.point = 0;
	lib.install(editor.prompt, take_line);
}

bool
line_editor_open(const char *prompt, line_editor_taker *take, void *context)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || term == NULL ||
		strcmp(term, "dumb") == 0 || !load())
		return false;
	/*
	 * Buffer stdout, so that messages and the prompt below the messages are
	 * written together. Separate writes would flicker.
	 */
	setvbuf(stdout, NULL, _IOFBF, 65536);
	editor.prompt = prompt;
	editor.take = take;
	editor.context = context;
	editor.open = true;
	begin_line();
	fflush(stdout);
	return true;
}

void
line_editor_read(void)
{
	/* libedit does not reset rl_point for an empty line. */
	*lib.point = 0;
	lib.read_char();
	if (editor.taken && editor.open)
		begin_line();
	fflush(stdout);
}

void
line_editor_print(const char *text)
{
	size_t point = *lib.point > 0 ? (size_t)*lib.point : 0;

	/* While take_line() runs, there is no prompt to draw again. */
	if (editor.taken) {
		fputs(text, stdout);
	} else {
		clear_rows(
			row_of(width_typed(*lib.text ? *lib.text : "", point)));
		fputs(text, stdout);
		lib.update();
	}
	fflush(stdout);
}

void
line_editor_close(void)
{
	if (!editor.open)
		return;
	editor.open = false;
	if (!editor.taken)
		fputs("\r\033[J", stdout);
	lib.remove();
	fflush(stdout);
}
