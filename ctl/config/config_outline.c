#include "config/config_outline.h"

#include "buf.h"
#include "config/run_bridled.h"
#include "util/installed.h"
#include "util/message.h"
#include "util/write_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS_MAX 6

/* Split a line at its tabs, and return the number of fields. */
static size_t
split(char *line, char *fields[FIELDS_MAX])
{
	size_t n = 0;
	char *field;

	while (n < FIELDS_MAX && (field = strsep(&line, "\t")) != NULL)
		fields[n++] = field;
	return n;
}

static void
take_line(struct config_outline *o, char *line)
{
	char *f[FIELDS_MAX];
	size_t n = split(line, f);

	if (n == 6 && strcmp(f[0], "client") == 0)
		o->clients[o->nclients++] =
			(struct outline_client){ f[1], f[2], f[3], f[5] };
	else if (n == 5 && strcmp(f[0], "listen") == 0)
		o->listeners[o->nlisteners++] = (struct outline_listener){ f[1],
			f[2], strcmp(f[3], "tls") == 0, f[4] };
}

static size_t
count_lines(const char *text)
{
	size_t n = 1;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

static int
take_text(struct config_outline *o, const char *text)
{
	size_t n = count_lines(text);
	char *rest, *line;

	o->text = strdup(text);
	o->clients = calloc(n, sizeof(o->clients[0]));
	o->listeners = calloc(n, sizeof(o->listeners[0]));
	if (o->text == NULL || o->clients == NULL || o->listeners == NULL) {
		message_print("out of memory");
		return -1;
	}
	for (rest = o->text; (line = strsep(&rest, "\n")) != NULL;)
		take_line(o, line);
	return 0;
}

static void
show_errors(struct buf *errors)
{
	write_out_buf(STDERR_FILENO, errors);
	if (geteuid() != 0 && strstr(buf_str(errors), strerror(EACCES)) != NULL)
		message_print(
			"the configuration cannot be read" INSTALLED_AS_ROOT);
}

int
config_outline_read(
	struct config_outline *o, const char *file, bool *no_program)
{
	const char *args[] = { "--outline", file, NULL };
	struct buf out = { 0 }, err = { 0 };
	int status, result = -1;

	memset(o, 0, sizeof(*o));
	status = run_bridled(args, &out, &err);
	if (no_program != NULL)
		*no_program = status == RUN_BRIDLED_FAILED;
	if (status == 0)
		result = take_text(o, buf_str(&out));
	else if (status != RUN_BRIDLED_FAILED)
		show_errors(&err);
	buf_free(&out);
	buf_free(&err);
	return result;
}

const struct outline_client *
config_outline_client(const struct config_outline *o, const char *name)
{
	size_t i;

	for (i = 0; i < o->nclients; i++)
		if (strcmp(o->clients[i].name, name) == 0)
			return &o->clients[i];
	return NULL;
}

bool
config_outline_has_key(const char *keys, const char *fingerprint)
{
	size_t len = strlen(fingerprint), n;

	for (; *keys != '\0'; keys += keys[n] == ',' ? n + 1 : n) {
		n = strcspn(keys, ",");
		if (n == len && memcmp(keys, fingerprint, len) == 0)
			return true;
	}
	return false;
}

void
config_outline_free(struct config_outline *o)
{
	free(o->clients);
	free(o->listeners);
	free(o->text);
	memset(o, 0, sizeof(*o));
}
