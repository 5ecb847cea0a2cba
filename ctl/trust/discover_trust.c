#include "trust/discover_trust.h"

#include "hosts/target.h"
#include "remote/host_trust.h"
#include "remote/known_hosts_file.h"

#include <string.h>

/*
 * Append the address and the port in the form of known_hosts. Return false if
 * the address is not valid.
 */
static bool
add_target(const char *address, unsigned port, struct buf *out)
{
	struct buf text = { 0 }, ignored = { 0 };
	struct target t;
	bool good;

	client_conf_target(TARGET_TLS, address, port, &text);
	good = target_parse(buf_str(&text), &t, &ignored) == 0 &&
	       t.kind == TARGET_TLS;
	if (good)
		target_address(&t, out);
	buf_free(&text);
	buf_free(&ignored);
	return good;
}

static void
note(struct discover_trust *t, bool same, bool announced)
{
	t->trusted = true;
	if (announced && t->fits != DISCOVER_FITS_YES)
		t->fits = same ? DISCOVER_FITS_YES : DISCOVER_FITS_NO;
}

/* Look for the address in known_hosts, and store the result in `t`. */
static int
check_address(const struct discovered *m, const char *address, unsigned port,
	struct discover_trust *t, struct buf *problem)
{
	struct buf path = { 0 }, host = { 0 };
	struct known_found found = { 0 };
	int result = 0;

	if (add_target(address, port, &host)) {
		result = host_trust_file(&path, problem);
		if (result == 0)
			result = known_hosts_file_find(buf_str(&path),
				buf_str(&host), m->fingerprint, &found,
				problem);
	}
	if (result == 0 && found.known != KNOWN_NOT)
		note(t, found.known == KNOWN_SAME, *m->fingerprint != '\0');
	buf_free(&path);
	buf_free(&host);
	return result;
}

/*
 * Look for the host of bridlectl.conf with this name. If the host's key is
 * known, compare this key with the announced fingerprint. Store the result in
 * `t`.
 */
static int
check_configured(const struct discovered *m, const struct client_conf *conf,
	const char *name, struct discover_trust *t, struct buf *problem)
{
	const struct conf_host *host =
		client_conf_host(conf, name, strlen(name));
	const struct conf_entry *e;

	if (host == NULL)
		return 0;
	e = &conf->entries[host->entry];
	if (e->kind != TARGET_TLS)
		return 0;
	if (e->fingerprint != NULL) {
		note(t, strcmp(e->fingerprint, m->fingerprint) == 0,
			*m->fingerprint != '\0');
		return 0;
	}
	return check_address(m, host->address ? host->address : host->name,
		e->port, t, problem);
}

int
discover_trust_find(const struct discovered *m, const struct client_conf *conf,
	struct discover_trust *t, struct buf *problem)
{
	struct buf name = { 0 };
	int result;
	size_t i;

	*t = (struct discover_trust){ 0 };
	result = check_address(m, m->host, m->port, t, problem);
	for (i = 0; result == 0 && i < m->naddresses; i++)
		result = check_address(
			m, m->addresses[i].address, m->port, t, problem);
	if (result == 0 && discovered_conf_name(m, &name)) {
		result = check_address(m, buf_str(&name), m->port, t, problem);
		if (result == 0)
			result = check_configured(
				m, conf, buf_str(&name), t, problem);
	}
	buf_free(&name);
	return result;
}

bool
discover_trust_same(const struct client_conf *conf, const struct conf_host *h,
	const struct discovered *m)
{
	const struct conf_entry *e = &conf->entries[h->entry];
	struct buf wanted = { 0 }, other = { 0 };
	bool same = false;
	size_t i;

	if (e->kind != TARGET_TLS ||
		!add_target(
			h->address ? h->address : h->name, e->port, &wanted))
		return false;
	for (i = 0; !same && i <= m->naddresses; i++) {
		buf_reset(&other);
		if (add_target(i == 0 ? m->host : m->addresses[i - 1].address,
			    m->port, &other))
			same = strcmp(buf_str(&wanted), buf_str(&other)) == 0;
	}
	buf_free(&wanted);
	buf_free(&other);
	return same;
}
