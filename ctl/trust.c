#include "trust.h"

#include "confirm.h"
#include "home.h"
#include "hosts_file.h"
#include "notice.h"

#include <stdio.h>
#include <string.h>

int
trust_file(struct buf *path, struct buf *problem)
{
	return home_file("known_hosts", path, problem);
}

const char *
trust_pin(const struct invocation *inv, const char **source)
{
	const char *pin = inv->options.values[OPT_FINGERPRINT];

	*source = pin ? "--fingerprint" : CLIENT_CONF_NAME;
	return pin ? pin : inv->host->fingerprint;
}

static enum trust
check_pin(const char *pin, const char *source, const char *fingerprint,
	struct buf *problem)
{
	if (strcmp(pin, fingerprint) == 0)
		return TRUST_YES;
	buf_addf(problem,
		"it is not the host that is meant: it shows the key %s, and "
		"%s says %s",
		fingerprint, source, pin);
	return TRUST_NO;
}

static void
add_changed(const struct invocation *inv, const char *path,
	const struct known_found *found, const char *fingerprint,
	struct buf *problem)
{
	buf_addf(problem,
		"its key is another than before: it shows %s, and %s:%zu has "
		"%s",
		fingerprint, path, found->line, found->fingerprint);
	buf_addf(problem,
		"\nnothing was asked of it: somebody may have put himself in "
		"between, or it has been set up anew");
	buf_addf(problem,
		"\nif 'bridled --fingerprint' on it prints the new one, say "
		"'bridlectl trust %s' (or remove line %zu of that file)",
		inv->target.name, found->line);
}

static void
add_unknown(const struct invocation *inv, const char *fingerprint,
	struct buf *problem)
{
	buf_addf(
		problem, "its key is not known here: it shows %s", fingerprint);
	buf_addf(problem,
		"\nif 'bridled --fingerprint' on it prints the same, say "
		"'bridlectl trust %s'; --accept-new takes new keys unseen",
		inv->target.name);
}

/* --accept-new. Another call may have been faster, with another key. */
static int
remember(const struct invocation *inv, const char *path, const char *host,
	const char *fingerprint, struct known_found *found, struct buf *problem)
{
	if (hosts_file_add(path, host, fingerprint, found, problem) != 0)
		return -1;
	if (found->known == KNOWN_NOT) {
		notice_host(inv->target.name, "its key %s is remembered",
			fingerprint);
		found->known = KNOWN_SAME;
	}
	return 0;
}

static enum trust
check_known(const struct invocation *inv, const char *path, const char *host,
	const char *fingerprint, struct buf *problem)
{
	struct known_found found;

	if (hosts_file_find(path, host, fingerprint, &found, problem) != 0)
		return TRUST_NO;
	if (found.known == KNOWN_NOT && invocation_has(inv, OPT_ACCEPT_NEW) &&
		remember(inv, path, host, fingerprint, &found, problem) != 0)
		return TRUST_NO;
	if (found.known == KNOWN_SAME)
		return TRUST_YES;
	if (found.known == KNOWN_NOT && confirm_terminal())
		return TRUST_ASK;
	if (found.known == KNOWN_NOT)
		add_unknown(inv, fingerprint, problem);
	else
		add_changed(inv, path, &found, fingerprint, problem);
	return TRUST_NO;
}

enum trust
trust_check(const struct invocation *inv, const char *fingerprint,
	struct buf *problem)
{
	const char *source, *pin = trust_pin(inv, &source);
	struct buf path = { 0 }, host = { 0 };
	enum trust trust = TRUST_NO;

	if (pin != NULL)
		return check_pin(pin, source, fingerprint, problem);
	targets_address(&inv->target, &host);
	if (trust_file(&path, problem) == 0)
		trust = check_known(inv, buf_str(&path), buf_str(&host),
			fingerprint, problem);
	buf_free(&path);
	buf_free(&host);
	return trust;
}

void
trust_show(const struct target *t, const char *fingerprint)
{
	struct buf text = { 0 };

	targets_address(t, &text);
	fprintf(stderr,
		"%s shows the key %s\n"
		"On it, 'bridled --fingerprint' prints that of its own key: "
		"compare.\n",
		buf_str(&text), fingerprint);
	buf_free(&text);
}

int
trust_ask(const struct invocation *inv, const char *fingerprint,
	struct buf *problem)
{
	struct buf path = { 0 }, host = { 0 };
	struct known_found found;
	int result = -1;

	notice_host(inv->target.name, "its key is not known here");
	trust_show(&inv->target, fingerprint);
	targets_address(&inv->target, &host);
	if (!confirm_ask("Are they the same, and is it to be trusted?"))
		buf_adds(problem,
			"its key is not trusted: nothing was asked of it");
	else if (trust_file(&path, problem) == 0)
		result = hosts_file_add(buf_str(&path), buf_str(&host),
			fingerprint, &found, problem);
	buf_free(&path);
	buf_free(&host);
	return result;
}
