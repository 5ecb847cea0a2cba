/*
 * Fuzz target for the text of bridled.conf. A line "#=" ends this text, and
 * begins the text of a file in conf.d. If the parser refuses the texts, it must
 * give a reason. If the parser accepts the texts, print the settings. Parsing
 * this output must give the same settings.
 */
#include "config/settings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char *
print(const struct settings *s)
{
	struct buf text = { 0 };

	settings_print(s, &text);
	buf_str(&text);
	if (text.failed)
		abort();
	return text.data;
}

#define SEPARATOR "\n#=\n"

/*
 * Split the text at its separators into files. This function changes the text.
 */
static void
split(char *text, struct conf_files *files)
{
	char *end;

	for (; (end = strstr(text, SEPARATOR)) != NULL;
		text = end + strlen(SEPARATOR)) {
		*end = '\0';
		if (conf_files_add(files, "fuzz", text) != 0)
			abort();
	}
	if (conf_files_add(files, "fuzz", text) != 0)
		abort();
}

static struct settings *
parse(char *text)
{
	struct buf errors = { 0 }, warnings = { 0 };
	struct conf_files files = { 0 };
	struct settings *s;

	split(text, &files);
	s = settings_parse_files(&files, NULL, &errors, &warnings);
	conf_files_free(&files);
	if ((s == NULL) != (errors.len > 0))
		abort();
	buf_free(&errors);
	buf_free(&warnings);
	return s;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *first, *second;
	bool many;
	struct settings *s;

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	s = parse(text);
	free(text);
	if (s == NULL)
		return 0;
	many = s->nfiles > 1;
	first = print(s);
	settings_free(s);
	if ((s = parse(first)) == NULL)
		abort();
	second = print(s);
	settings_free(s);
	/*
	 * If there were several files, the first output names these files in
	 * comments, and the second output does not.
	 */
	if (!many && strcmp(first, second) != 0)
		abort();
	free(first);
	free(second);
	return 0;
}
