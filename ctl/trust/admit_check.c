#include "net.h"
#include "text.h"
#include "trust/admit.h"
#include "util/problem.h"
#include "verbs.h"

#include <string.h>
#include <time.h>

#define NAME_MAX_BYTES 32
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static int
check_name(const char *name, struct buf *error)
{
	size_t len = strlen(name);

	if (len > 0 && len <= NAME_MAX_BYTES && strchr(LETTERS, *name) &&
		text_consists_of(name, len, LETTERS DIGITS "._-"))
		return 0;
	return problem_add(error,
		"'%s' is no name for a client; begin with a letter, and use at "
		"most %d letters, digits, '.', '_' and '-'",
		name, NAME_MAX_BYTES);
}

static bool
is_verb(const char *word, size_t len)
{
	const char *name;
	long i;

	if (len == 1 && *word == '*')
		return true;
	for (i = 1; i <= VERB_LAST; i++) {
		name = verb_by_number(i)->name;
		if (strlen(name) == len && memcmp(word, name, len) == 0)
			return true;
	}
	return false;
}

static int
check_allow(const char *allow, struct buf *error)
{
	const char *word = allow;
	size_t len;

	for (;; word += len + 1) {
		len = strcspn(word, ",");
		if (!is_verb(word, len))
			return problem_add(error,
				"--allow: '%.*s' is no verb; use verbs such as "
				"list,kill, or '*' for all verbs",
				(int)len, word);
		if (word[len] == '\0')
			return 0;
	}
}

static int
check_from(const char *from, struct buf *error)
{
	struct net_block block;
	const char *word = from;
	char one[64];
	size_t len;

	for (;; word += len + 1) {
		len = strcspn(word, ",");
		if (len < sizeof(one)) {
			memcpy(one, word, len);
			one[len] = '\0';
		}
		if (len >= sizeof(one) || net_block_parse(one, &block) != 0)
			return problem_add(error,
				"--from: '%.*s' is no network; use networks "
				"such as 10.1.0.0/16, separated by commas",
				(int)len, word);
		if (word[len] == '\0')
			return 0;
	}
}

/*
 * Check that the text cannot break the syntax of the file, and that the date is
 * not in the past. bridled checks the form of the date.
 */
static int
check_until(const char *until, struct buf *error)
{
	size_t len = strlen(until);
	time_t now = time(NULL);
	char text[32] = "";
	struct tm tm;

	if (len > 0 && len < sizeof(text) &&
		text_consists_of(until, len, DIGITS "-: ")) {
		/*
		 * Compare the texts, because both texts begin with the year and
		 * therefore sort by time.
		 */
		if (localtime_r(&now, &tm) == NULL ||
			strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S",
				&tm) == 0 ||
			strncmp(until, text, len) >= 0)
			return 0;
		return problem_add(error, "--until: %s is in the past", until);
	}
	return problem_add(error,
		"--until: '%s' is no date; use 2027-01-31 or "
		"'2027-01-31 18:00'",
		until);
}

static int
check_listen(const char *listen, struct buf *error)
{
	struct net_addr addr;

	if (text_consists_of(
		    listen, strlen(listen), LETTERS DIGITS ".:[]%_-") &&
		net_parse(listen, &addr) == 0)
		return 0;
	return problem_add(error,
		"--listen: '%s' is no numeric address with a port; use for "
		"example '[::]:7075'",
		listen);
}

static int
check_mode(const struct admit *a, struct buf *error)
{
	if (a->allow != NULL || a->mode == ADMIT_ADD_KEY ||
		a->mode == ADMIT_DROP_OLD)
		return 0;
	return problem_add(error,
		"--allow is missing: name the verbs that %s may use, such as "
		"--allow list,kill",
		a->name);
}

int
admit_check(const struct admit *a, struct buf *error)
{
	if (a->name == NULL)
		return problem_add(error, "--name is missing");
	if (check_name(a->name, error) != 0)
		return -1;
	if (a->key == NULL || !tls_fingerprint_valid(a->key))
		return problem_add(error,
			"'%s' is no fingerprint; use the output of 'bridlectl "
			"fingerprint' on the operator's machine",
			a->key ? a->key : "");
	if (check_mode(a, error) != 0 ||
		(a->allow != NULL && check_allow(a->allow, error) != 0) ||
		(a->from != NULL && check_from(a->from, error) != 0) ||
		(a->until != NULL && check_until(a->until, error) != 0) ||
		(a->listen != NULL && check_listen(a->listen, error) != 0))
		return -1;
	return 0;
}
