/*
 * Fuzz target for the arguments of -H and --fingerprint. If -H is accepted, the
 * result must have a host. It must also have a port, except for a unix socket.
 * target_address() makes an address from the result. -H must accept this
 * address and give the same result, except for dots at the end of the host. If
 * --fingerprint is accepted, the fingerprint must have the right length.
 */
#include "hosts/target.h"
#include "tls.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
parse_again(const struct target *t)
{
	struct buf address = { 0 }, again = { 0 };
	struct target other;

	target_address(t, &address);
	must(target_parse(buf_str(&address), &other, &again) == 0);
	must(other.kind == TARGET_TLS && strcmp(other.port, t->port) == 0);
	must(strlen(other.host) == target_name_len(t->host, strlen(t->host)));
	must(strncasecmp(other.host, t->host, strlen(other.host)) == 0);
	target_address(&other, &again);
	must(strcmp(buf_str(&address), buf_str(&again)) == 0);
	must(strpbrk(buf_str(&address), " \t\n#") == NULL);
	buf_free(&address);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct buf error = { 0 };
	struct target t;

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (tls_fingerprint_valid(text))
		must(strlen(text) == TLS_FINGERPRINT_SIZE - 1);
	if (target_parse(text, &t, &error) != 0) {
		must(error.len > 0);
	} else {
		must(error.len == 0 && t.name == text && *t.host != '\0');
		must((*t.port == '\0') == (t.kind == TARGET_UNIX));
		if (t.kind != TARGET_UNIX)
			parse_again(&t);
	}
	buf_free(&error);
	free(text);
	return 0;
}
