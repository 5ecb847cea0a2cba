#include "remote/key_create.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

/* Maximum length of a name in `clients`, in bytes. */
#define CLIENT_NAME_MAX 64

void
key_create_login(struct buf *out)
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

/*
 * Append the subject of the certificate, as in "alice@web1". Only people read
 * the subject.
 */
static void
add_subject(struct buf *out)
{
	char host[HOST_NAME_MAX + 1] = "";

	gethostname(host, sizeof(host) - 1);
	key_create_login(out);
	buf_addf(out, "@%s", host);
}

int
key_create(const char *path, enum tls_key_type type,
	char fingerprint[TLS_FINGERPRINT_SIZE], struct buf *problem)
{
	char why[TLS_PROBLEM_SIZE];
	struct buf subject = { 0 };
	struct tls_key *key;
	int result = -1, error = 0;

	add_subject(&subject);
	key = tls_key_create(type, buf_str(&subject), why);
	if (key == NULL) {
		buf_adds(problem, why);
	} else if (tls_key_write(key, path) != 0) {
		error = errno;
		buf_addf(problem, "%s: %s", path, strerror(error));
	} else {
		tls_key_fingerprint(key, fingerprint);
		result = 0;
	}
	tls_key_free(key);
	buf_free(&subject);
	errno = error;
	return result;
}

int
key_create_read(const char *path, char fingerprint[TLS_FINGERPRINT_SIZE],
	struct buf *problem)
{
	char why[TLS_PROBLEM_SIZE];
	struct tls_key *key = tls_key_read(path, why);
	int error = errno;

	if (key != NULL)
		tls_key_fingerprint(key, fingerprint);
	else
		buf_addf(problem, "the key %s: %s", path, why);
	tls_key_free(key);
	errno = error;
	return key != NULL ? 0 : -1;
}
