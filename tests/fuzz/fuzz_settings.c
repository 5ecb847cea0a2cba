/*
 * Fuzz target for the text of bridled.conf. If the parser refuses a text, it
 * must give a reason. If the parser accepts a text, print the settings. Parsing
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

static struct settings *
parse(const char *text)
{
	struct buf errors = { 0 }, warnings = { 0 };
	struct settings *s;

	s = settings_parse(text, "fuzz", NULL, &errors, &warnings);
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
	struct settings *s;

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	s = parse(text);
	free(text);
	if (s == NULL)
		return 0;
	first = print(s);
	settings_free(s);
	if ((s = parse(first)) == NULL)
		abort();
	second = print(s);
	settings_free(s);
	if (strcmp(first, second) != 0)
		abort();
	free(first);
	free(second);
	return 0;
}
