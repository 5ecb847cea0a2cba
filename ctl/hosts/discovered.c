#include "hosts/discovered.h"

#include "text.h"
#include "tls.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELDS 6
#define HOST_NAME_LEN_MAX 253
#define LABEL_LEN_MAX 63

enum field { NAME, HOST, ADDRESS, PORT, INTERFACE, FINGERPRINT };

static bool
starts(const char *s, const char *prefix)
{
	return strncasecmp(s, prefix, strlen(prefix)) == 0;
}

/*
 * Return the rank of an address in the list of a machine's addresses. The
 * address with the lowest rank comes first. IPv6 link-local addresses come
 * last, because each of these addresses is valid on one interface only.
 */
static int
rank(const char *address)
{
	if (strchr(address, ':') != NULL)
		return strchr(address, '%') != NULL ? 3 : 1;
	return starts(address, "169.254.") ? 2 : 0;
}

static int
compare_addresses(const void *a, const void *b)
{
	const struct discovered_address *x = a, *y = b;
	int order = rank(x->address) - rank(y->address);

	return order != 0 ? order : strcmp(x->address, y->address);
}

static int
compare_machines(const void *a, const void *b)
{
	const struct discovered *x = a, *y = b;
	int order = strverscmp(x->host, y->host);

	if (order == 0)
		order = x->port < y->port ? -1 : x->port > y->port;
	if (order == 0)
		order = strcmp(x->name, y->name);
	return order != 0 ? order : strcmp(x->fingerprint, y->fingerprint);
}

/*
 * Split a line at its tabs. The line is overwritten. True if the line has the
 * right number of fields, and only bytes that bridle-discover writes.
 */
static bool
split(char *line, char *fields[FIELDS])
{
	size_t n = 0;
	char *s;

	for (s = line; *s != '\0'; s++)
		if ((*s < 0x20 || *s > 0x7e) && *s != '\t')
			return false;
	while ((s = strsep(&line, "\t")) != NULL) {
		if (n == FIELDS)
			return false;
		fields[n++] = s;
	}
	return n == FIELDS && *fields[HOST] != '\0' &&
	       *fields[ADDRESS] != '\0' &&
	       (*fields[FINGERPRINT] == '\0' ||
		       tls_fingerprint_valid(fields[FINGERPRINT]));
}

static struct discovered *
find(const struct discoveries *d, char *const fields[FIELDS], unsigned port)
{
	struct discovered *m;
	size_t i;

	for (i = 0; i < d->n; i++) {
		m = &d->v[i];
		if (m->port == port && strcmp(m->name, fields[NAME]) == 0 &&
			strcasecmp(m->host, fields[HOST]) == 0 &&
			strcmp(m->fingerprint, fields[FINGERPRINT]) == 0)
			return m;
	}
	return NULL;
}

/* Return the new machine, or NULL if no memory is available. */
static struct discovered *
add_machine(struct discoveries *d, char *const fields[FIELDS], unsigned port)
{
	struct discovered *v, *m;

	v = reallocarray(d->v, d->n + 1, sizeof(*v));
	if (v == NULL)
		return NULL;
	d->v = v;
	m = &v[d->n++];
	*m = (struct discovered){ .port = port,
		.name = strdup(fields[NAME]),
		.host = strdup(fields[HOST]),
		.fingerprint = strdup(fields[FINGERPRINT]) };
	return m->name && m->host && m->fingerprint ? m : NULL;
}

static bool
add_address(struct discovered *m, const char *address, const char *interface)
{
	struct discovered_address *v;
	size_t i;

	for (i = 0; i < m->naddresses; i++)
		if (strcmp(m->addresses[i].address, address) == 0)
			return true;
	v = reallocarray(m->addresses, m->naddresses + 1, sizeof(*v));
	if (v == NULL)
		return false;
	m->addresses = v;
	v += m->naddresses++;
	v->address = strdup(address);
	v->interface = strdup(interface);
	return v->address != NULL && v->interface != NULL;
}

/*
 * Add one line. The function changes the line. Return 0, or -1 after an error.
 */
static int
add_line(struct discoveries *d, char *line, struct buf *error)
{
	char *fields[FIELDS];
	struct discovered *m;
	long port;

	if (!split(line, fields) ||
		text_number(fields[PORT], 0, 65535, &port) != 0) {
		buf_adds(error, "bridle-discover has printed a line that "
				"bridlectl does not know: the programs must "
				"have the same version");
		return -1;
	}
	if ((m = find(d, fields, (unsigned)port)) == NULL)
		m = add_machine(d, fields, (unsigned)port);
	if (m != NULL && add_address(m, fields[ADDRESS], fields[INTERFACE]))
		return 0;
	buf_adds(error, "out of memory");
	return -1;
}

int
discoveries_read(struct discoveries *d, const char *text, struct buf *error)
{
	char *copy = strdup(text), *rest = copy, *line;
	int result = copy != NULL ? 0 : -1;
	size_t i;

	if (copy == NULL)
		buf_adds(error, "out of memory");
	while (result == 0 && (line = strsep(&rest, "\n")) != NULL)
		if (*line != '\0')
			result = add_line(d, line, error);
	free(copy);
	if (result != 0)
		return result;
	for (i = 0; i < d->n; i++)
		qsort(d->v[i].addresses, d->v[i].naddresses,
			sizeof(d->v[i].addresses[0]), compare_addresses);
	if (d->n > 0)
		qsort(d->v, d->n, sizeof(d->v[0]), compare_machines);
	return 0;
}

/* Return the length of the valid label at the start of s, or 0. */
static size_t
label_len(const char *s)
{
	size_t n = 0;

	while (isascii(s[n]) && (isalnum(s[n]) || s[n] == '-'))
		n++;
	if (n == 0 || n > LABEL_LEN_MAX || s[0] == '-' || s[n - 1] == '-')
		return 0;
	return n;
}

static bool
is_word(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(s, word, len) == 0;
}

bool
discovered_conf_name(const struct discovered *m, struct buf *out)
{
	static const char local[] = ".local";
	size_t len = strlen(m->host), at = 0, n;

	if (len > 0 && m->host[len - 1] == '.')
		len--;
	if (len > strlen(local) && strncasecmp(m->host + len - strlen(local),
					   local, strlen(local)) == 0)
		len -= strlen(local);
	if (len == 0 || len > HOST_NAME_LEN_MAX)
		return false;
	while ((n = label_len(m->host + at)) > 0 && at + n < len &&
		m->host[at + n] == '.')
		at += n + 1;
	if (n == 0 || at + n != len)
		return false;
	/* The name must not look like an address or like a transport of -H. */
	if (strspn(m->host + at, "0123456789") == n ||
		is_word(m->host, len, "unix") || is_word(m->host, len, "plain"))
		return false;
	for (at = 0; at < len; at++)
		buf_addc(out, (char)tolower((unsigned char)m->host[at]));
	return true;
}

void
discoveries_free(struct discoveries *d)
{
	struct discovered *m;
	size_t i, j;

	for (i = 0; i < d->n; i++) {
		m = &d->v[i];
		for (j = 0; j < m->naddresses; j++) {
			free(m->addresses[j].address);
			free(m->addresses[j].interface);
		}
		free(m->addresses);
		free(m->name);
		free(m->host);
		free(m->fingerprint);
	}
	free(d->v);
	*d = (struct discoveries){ 0 };
}
