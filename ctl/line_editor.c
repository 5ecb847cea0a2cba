#include "line_editor.h"

#include "config.h"
#include "width.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80

/* Of its interface, what we call. */
typedef void line_handler(char *);

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
	bool taken; /* a line, so that the next one is to be begun */
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

/* On which row below the prompt's the cursor is, after so many columns. */
static size_t
row_of(size_t columns)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		size.ws_col = COLUMNS_DEFAULT;
	return columns / size.ws_col;
}

/* From the row of the cursor up to the prompt's, and clears all that. */
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
	struct buf typed = { 0 };
	size_t width;

	buf_add(&typed, text, strnlen(text, len));
	width = width_of(editor.prompt) + width_of(buf_str(&typed));
	buf_free(&typed);
	return width;
}

/* What was typed gives way: it is shown again as something that was said. */
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
	/* Lines and the prompt below them leave in one write: no flicker. */
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
	/* Of a line that is empty it tells nothing. */
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

	/* Within take_line() there is nothing to be kept. */
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
