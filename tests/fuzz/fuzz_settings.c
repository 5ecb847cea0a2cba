/*
 * Any text is either refused, with a reason, or becomes settings that print
 * as a text which is read as the same settings.
 */
#include "settings.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static char *
print(const struct settings *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out == NULL)
		abort();
	settings_print(s, out);
	if (fclose(out) != 0)
		abort();
	return text;
}

static struct settings *
parse(const char *text)
{
	struct buf errors = { 0 }, warnings = { 0 };
	struct settings *s;

	s = settings_parse(text, "fuzz", false, &errors, &warnings);
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
