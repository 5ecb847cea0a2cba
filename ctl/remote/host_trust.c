#include "remote/host_trust.h"

#include "remote/known_hosts_file.h"
#include "util/config_dir.h"
#include "util/message.h"
#include "util/prompt.h"

#include <stdio.h>
#include <string.h>

int
host_trust_file(struct buf *path, struct buf *problem)
{
	return config_dir_file("known_hosts", path, problem);
}

static enum host_trust
check_pin(
	const struct endpoint *e, const char *fingerprint, struct buf *problem)
{
	if (strcmp(e->pin, fingerprint) == 0)
		return HOST_TRUST_YES;
	buf_addf(problem,
		"the host has the wrong key: the host shows %s, but %s "
		"requires %s",
		fingerprint, e->pin_source, e->pin);
	return HOST_TRUST_NO;
}

static void
add_changed(const struct endpoint *e, const char *path,
	const struct known_found *found, const char *fingerprint,
	struct buf *problem)
{
	buf_addf(problem,
		"the host's key has changed: the host shows %s, but %s:%zu "
		"has %s",
		fingerprint, path, found->line, found->fingerprint);
	buf_addf(problem,
		"\nno request was sent: another machine may reply in place of "
		"the host, or the host was installed again");
	buf_addf(problem,
		"\nif 'bridled --fingerprint' on the host prints the new key, "
		"run 'bridlectl trust %s' (or remove line %zu of the file)",
		e->target->name, found->line);
}

static void
add_unknown(
	const struct endpoint *e, const char *fingerprint, struct buf *problem)
{
	buf_addf(problem, "the host's key is unknown: the host shows %s",
		fingerprint);
	buf_addf(problem,
		"\nif 'bridled --fingerprint' on the host prints this key, "
		"run 'bridlectl trust %s'; --accept-new trusts without a check",
		e->target->name);
}

/*
 * Store the key of an unknown host, for --accept-new. If another process has
 * just stored a key of this host, store nothing. In this case, *found describes
 * the stored key. Returns 0, or -1 with a sentence appended to problem.
 */
static int
remember(const struct endpoint *e, const char *path, const char *host,
	const char *fingerprint, struct known_found *found, struct buf *problem)
{
	if (known_hosts_file_add(path, host, fingerprint, found, problem) != 0)
		return -1;
	if (found->known == KNOWN_NOT) {
		message_host(e->target->name,
			"the host's key %s is now trusted", fingerprint);
		found->known = KNOWN_SAME;
	}
	return 0;
}

static enum host_trust
check_known(const struct endpoint *e, const char *path, const char *host,
	const char *fingerprint, struct buf *problem)
{
	struct known_found found;

	if (known_hosts_file_find(path, host, fingerprint, &found, problem) !=
		0)
		return HOST_TRUST_NO;
	if (found.known == KNOWN_NOT && e->accept_new &&
		remember(e, path, host, fingerprint, &found, problem) != 0)
		return HOST_TRUST_NO;
	if (found.known == KNOWN_SAME)
		return HOST_TRUST_YES;
	if (found.known == KNOWN_NOT && prompt_terminal())
		return HOST_TRUST_ASK;
	if (found.known == KNOWN_NOT)
		add_unknown(e, fingerprint, problem);
	else
		add_changed(e, path, &found, fingerprint, problem);
	return HOST_TRUST_NO;
}

enum host_trust
host_trust_check(
	const struct endpoint *e, const char *fingerprint, struct buf *problem)
{
	struct buf path = { 0 }, host = { 0 };
	enum host_trust host_trust = HOST_TRUST_NO;

	if (e->pin != NULL)
		return check_pin(e, fingerprint, problem);
	target_address(e->target, &host);
	if (host_trust_file(&path, problem) == 0)
		host_trust = check_known(e, buf_str(&path), buf_str(&host),
			fingerprint, problem);
	buf_free(&path);
	buf_free(&host);
	return host_trust;
}

void
host_trust_show(const struct target *t, const char *fingerprint)
{
	struct buf text = { 0 };

	target_address(t, &text);
	fprintf(stderr,
		"%s shows the key %s\n"
		"Compare this key with the output of 'bridled --fingerprint' "
		"on the host.\n",
		buf_str(&text), fingerprint);
	buf_free(&text);
}

int
host_trust_ask(
	const struct endpoint *e, const char *fingerprint, struct buf *problem)
{
	struct buf path = { 0 }, host = { 0 };
	struct known_found found;
	int result = -1;

	message_host(e->target->name, "the host's key is unknown");
	host_trust_show(e->target, fingerprint);
	target_address(e->target, &host);
	if (!prompt_yes("Are the keys equal, and do you trust this host?"))
		buf_adds(problem,
			"the host's key is not trusted; no request was sent");
	else if (host_trust_file(&path, problem) == 0)
		result = known_hosts_file_add(buf_str(&path), buf_str(&host),
			fingerprint, &found, problem);
	buf_free(&path);
	buf_free(&host);
	return result;
}
