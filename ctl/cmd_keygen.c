#include "command.h"
#include "home.h"
#include "invocation.h"
#include "notice.h"
#include "own_key.h"
#include "report.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#define CLIENT_NAME_MAX 64 /* of an entry of clients */

/* Who runs this, in letters that an entry of clients may have. */
static void
add_login(struct buf *out)
{
	const struct passwd *pw = getpwuid(getuid());
	const char *s = pw && *pw->pw_name ? pw->pw_name : "me";
	size_t n;

	for (n = 0; s[n] != '\0' && n < CLIENT_NAME_MAX; n++)
		buf_addc(out, isascii(s[n]) && (isalnum(s[n]) ||
						       (s[n] == '-' && n > 0) ||
						       strchr("._@", s[n]))
				      ? s[n]
				      : '_');
}

/* What the certificate is called; nobody goes by it. */
static void
add_subject(struct buf *out)
{
	char host[HOST_NAME_MAX + 1] = "";

	gethostname(host, sizeof(host) - 1);
	add_login(out);
	buf_addf(out, "@%s", host);
}

/* The fingerprint, and the entry for the one who lets it in. */
static int
print_key(const struct tls_key *key)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf login = { 0 };
	int result;

	tls_key_fingerprint(key, fingerprint);
	add_login(&login);
	result = report_line("%s", fingerprint);
	if (result == 0)
		result = report_line("{ name = \"%s\"; key = (\"%s\");",
			buf_str(&login), fingerprint);
	if (result == 0)
		result = report_line("  allow = (\"list\", \"ping\", "
				     "\"status\", \"verbs\", \"explain\"); }");
	if (result == 0)
		notice("let the host know it: these two lines are an entry "
		       "for clients in its bridled.conf; say there what else "
		       "you may do");
	buf_free(&login);
	return result;
}

static enum outcome
show_existing(const char *path)
{
	char why[TLS_PROBLEM_SIZE];
	struct tls_key *key = tls_key_read(path, why);

	if (key == NULL) {
		notice("%s exists already, and is left as it is: %s", path,
			why);
	} else {
		notice("%s exists already, and is left as it is; its "
		       "fingerprint is:",
			path);
		print_key(key);
	}
	tls_key_free(key);
	return OUTCOME_NO;
}

static enum outcome
make_key(const char *path, enum tls_key_type type)
{
	char why[TLS_PROBLEM_SIZE];
	enum outcome outcome = OUTCOME_NO;
	struct buf subject = { 0 };
	struct tls_key *key;

	add_subject(&subject);
	key = tls_key_create(type, buf_str(&subject), why);
	if (key == NULL) {
		notice("%s", why);
	} else if (tls_key_write(key, path) == 0) {
		notice("%s is your new key", path);
		outcome = print_key(key) == 0 ? OUTCOME_DONE : OUTCOME_NO;
	} else if (errno == EEXIST) {
		outcome = show_existing(path);
	} else {
		notice("%s: %s", path, strerror(errno));
	}
	tls_key_free(key);
	buf_free(&subject);
	return outcome;
}

/* Where it goes; the folder of the default one is made. */
static int
find_place(const struct invocation *inv, struct buf *path)
{
	struct buf problem = { 0 };
	int result = 0;

	if (inv->nargs > 0)
		buf_adds(path, inv->args[0]);
	else if ((result = own_key_path(path, &problem)) == 0)
		result = home_make_folder(buf_str(path), &problem);
	if (result != 0)
		notice("%s", buf_str(&problem));
	buf_free(&problem);
	return result;
}

enum outcome
cmd_keygen(struct invocation *inv)
{
	const char *type = inv->options.values[OPT_TYPE];
	bool ed25519 = type != NULL && strcmp(type, "ed25519") == 0;
	struct buf path = { 0 };
	enum outcome outcome = OUTCOME_NO;

	if (type != NULL && !ed25519 && strcmp(type, "p256") != 0) {
		notice("there is no type '%s' of keys: it is p256 or ed25519",
			type);
		return OUTCOME_USAGE;
	}
	if (find_place(inv, &path) == 0)
		outcome = make_key(buf_str(&path),
			ed25519 ? TLS_KEY_ED25519 : TLS_KEY_P256);
	buf_free(&path);
	return outcome;
}
