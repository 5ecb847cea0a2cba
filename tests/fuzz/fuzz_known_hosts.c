/*
 * Fuzz target for the text of known_hosts. If the parser reports no bad line,
 * the target sets a host's key in the text. After this the parser must find the
 * key, and all lines must still be there. Setting the key again must change
 * nothing.
 */
#include "remote/known_hosts.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KEY "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define HOST "web1:7075"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool good)
{
	if (!good)
		abort();
}

static int
find(const char *text, size_t len, struct known_found *f)
{
	struct buf problem = { 0 };
	int result;

	result = known_hosts_find(text, len, "kh", HOST, KEY, f, &problem);
	must((result != 0) == (problem.len > 0));
	must(result == 0 || strncmp(buf_str(&problem), "kh:", 3) == 0);
	if (result == 0 && f->known == KNOWN_OTHER)
		must(f->line > 0 && tls_fingerprint_valid(f->fingerprint) &&
			strcmp(f->fingerprint, KEY) != 0);
	buf_free(&problem);
	return result;
}

static size_t
count_lines(const char *s, size_t len)
{
	size_t n = len > 0 && s[len - 1] != '\n', i;

	for (i = 0; i < len; i++)
		n += s[i] == '\n';
	return n;
}

/*
 * Check that each listed name is a host. If `has_host` is true, check that HOST
 * is listed.
 */
static void
list(const char *text, size_t len, bool has_host)
{
	struct buf names = { 0 };
	size_t i;

	known_hosts_list(text, len, &names);
	for (i = 0; i < names.len; i++)
		must(names.data[i] == '\n' ||
			(names.data[i] > ' ' && names.data[i] < 0x7f));
	must(!has_host || strstr(buf_str(&names), HOST "\n") != NULL);
	buf_free(&names);
}

static void
replace(const char *text, size_t len, enum known before)
{
	struct buf once = { 0 }, twice = { 0 };
	struct known_found f;
	size_t lines = count_lines(text, len);

	known_hosts_replace(text, len, HOST, KEY, &once);
	must(find(once.data, once.len, &f) == 0 && f.known == KNOWN_SAME);
	list(once.data, once.len, true);
	if (before == KNOWN_NOT)
		must(count_lines(once.data, once.len) == lines + 1);
	else
		must(count_lines(once.data, once.len) <= lines);
	known_hosts_replace(once.data, once.len, HOST, KEY, &twice);
	must(once.len == twice.len &&
		memcmp(once.data, twice.data, once.len) == 0);
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/*
	 * Copy the text to memory of the exact size, so that ASan detects a
	 * read beyond the end.
	 */
	char *text = calloc(1, size > 0 ? size : 1);
	struct known_found f;

	must(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	list(text, size, false);
	if (find(text, size, &f) == 0)
		replace(text, size, f.known);
	free(text);
	return 0;
}
