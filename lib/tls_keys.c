#include "fd.h"
#include "tls_openssl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "SHA256:"
#define HASH_BYTES 32
#define BASE64_LEN 43 /* base64 characters of a hash, without padding */

/*
 * Time for which a certificate is valid, in seconds. A certificate must have
 * dates, but no peer checks these dates.
 */
#define VALID_SECONDS (100L * 365 * 24 * 3600)

void
tls_describe(char problem[TLS_PROBLEM_SIZE], const char *what)
{
	unsigned long first = ERR_peek_error(), e;
	const char *reason = NULL;
	char number[32];

	while (reason == NULL && (e = ERR_get_error()) != 0)
		reason = ERR_SYSTEM_ERROR(e) ? strerror(ERR_GET_REASON(e))
					     : ERR_reason_error_string(e);
	/* The user can look up this error number with openssl-errstr(1). */
	snprintf(number, sizeof(number), "OpenSSL's error %lX", first);
	if (reason == NULL)
		reason = first != 0 ? number : "";
	snprintf(problem, TLS_PROBLEM_SIZE, "%s%s%s", what,
		*reason && *what ? ": " : "", reason);
	ERR_clear_error();
}

/*
 * Options of OPENSSL_init_crypto(3) that skip tables which TLS 1.3 does not
 * need. Otherwise each process would fill these tables at its start and free
 * them at its end. With these options, errors of TLS have texts, and other
 * errors have only numbers.
 */
#define WITHOUT                                                          \
	(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS | \
		OPENSSL_INIT_NO_ADD_ALL_DIGESTS |                        \
		OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT)

void
tls_begin(void)
{
	/*
	 * Call OPENSSL_init_crypto() first, because OPENSSL_init_ssl() would
	 * set defaults for the options that are not set yet.
	 */
	OPENSSL_init_crypto(WITHOUT, NULL);
	OPENSSL_init_ssl(WITHOUT, NULL);
}

static int
sign_certificate(X509 *cert, EVP_PKEY *pkey, const char *name)
{
	const EVP_MD *digest = EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519
				       ? NULL
				       : EVP_sha256();
	X509_NAME *subject = X509_get_subject_name(cert);

	/* X.520 allows at most 64 bytes in a common name. */
	if (!X509_set_version(cert, X509_VERSION_3) ||
		!ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) ||
		!X509_gmtime_adj(X509_getm_notBefore(cert), 0) ||
		!X509_gmtime_adj(X509_getm_notAfter(cert), VALID_SECONDS) ||
		!X509_set_pubkey(cert, pkey) ||
		!X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
			(const unsigned char *)name, (int)strnlen(name, 64), -1,
			0) ||
		!X509_set_issuer_name(cert, subject))
		return -1;
	return X509_sign(cert, pkey, digest) > 0 ? 0 : -1;
}

struct tls_key *
tls_key_create(enum tls_key_type type, const char *name,
	char problem[TLS_PROBLEM_SIZE])
{
	struct tls_key *key = calloc(1, sizeof(*key));

	tls_begin();
	if (key == NULL) {
		snprintf(problem, TLS_PROBLEM_SIZE, "out of memory");
		return NULL;
	}
	key->pkey = type == TLS_KEY_ED25519
			    ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
			    : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	key->cert = X509_new();
	if (key->pkey != NULL && key->cert != NULL &&
		sign_certificate(key->cert, key->pkey, name) == 0)
		return key;
	tls_describe(problem, "cannot make a key");
	tls_key_free(key);
	return NULL;
}

/*
 * Return the key and the certificate in PEM; NULL after an error. The caller
 * frees the BIO.
 */
static BIO *
encode_key(const struct tls_key *key)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	if (bio != NULL &&
		PEM_write_bio_PrivateKey(
			bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1 &&
		PEM_write_bio_X509(bio, key->cert) == 1)
		return bio;
	BIO_free(bio);
	ERR_clear_error();
	errno = ENOMEM;
	return NULL;
}

/*
 * Write a new file. Write under a temporary name first, so that `path` never
 * holds an incomplete key, even after a crash. Unlike rename(2), link(2) does
 * not replace an existing file. Return 0, or -1 with errno.
 */
static int
write_whole(const char *path, const char *data, size_t len)
{
	int fd, result = -1, saved;
	char *name;

	if (asprintf(&name, "%s.XXXXXX", path) == -1)
		return -1;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd != -1 && fd_write_all(fd, data, len) == 0 && fsync(fd) == 0)
		result = link(name, path);
	saved = errno;
	if (fd != -1)
		unlink(name);
	fd_close(&fd);
	free(name);
	errno = saved;
	return result;
}

int
tls_key_write(const struct tls_key *key, const char *path)
{
	BIO *bio = encode_key(key);
	int result, saved;
	char *data;
	long len;

	if (bio == NULL)
		return -1;
	len = BIO_get_mem_data(bio, &data);
	result = write_whole(path, data, (size_t)len);
	saved = errno;
	BIO_free(bio);
	errno = saved;
	return result;
}

/*
 * Report that there is no password. Without this function OpenSSL would ask for
 * a password at the terminal.
 */
static int
no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static bool
type_known(const EVP_PKEY *pkey)
{
	char group[32];
	size_t len;

	if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519)
		return true;
	return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(pkey, group, sizeof(group), &len) &&
	       strcmp(group, "prime256v1") == 0;
}

/*
 * Open the file, and check its type and mode. Return the descriptor, or -1 with
 * `problem` and errno. fstat(2) checks the open file, because the path can lead
 * to another file later.
 */
static int
open_private(const char *path, char problem[TLS_PROBLEM_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) != 0) {
		snprintf(problem, TLS_PROBLEM_SIZE, "%s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		snprintf(problem, TLS_PROBLEM_SIZE, "not a regular file");
		errno = EINVAL;
	} else if (st.st_mode & (S_IRWXG | S_IRWXO)) {
		snprintf(problem, TLS_PROBLEM_SIZE,
			"other users have access: chmod 600, or make a new "
			"key");
		errno = EPERM;
	} else {
		return fd;
	}
	fd_close(&fd);
	return -1;
}

/*
 * Return the private key of a PEM file; NULL if the file has no key.
 * tls_pkcs8_read() reads keys that Bridle has written, and is fast. OpenSSL's
 * decoders read all other keys, and are slow.
 */
static EVP_PKEY *
read_private(BIO *bio)
{
	unsigned char *der = NULL;
	EVP_PKEY *pkey = NULL;
	long len = 0;

	if (PEM_bytes_read_bio_secmem(&der, &len, NULL, PEM_STRING_PKCS8INF,
		    bio, no_password, NULL) == 1) {
		pkey = tls_pkcs8_read(der, len);
		OPENSSL_secure_clear_free(der, (size_t)len);
	}
	ERR_clear_error();
	if (pkey != NULL)
		return pkey;
	BIO_seek(bio, 0);
	return PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
}

#define KEY_FILE_MAX 65536

struct tls_key *
tls_key_open(const char *path, char problem[TLS_PROBLEM_SIZE])
{
	int fd = open_private(path, problem);
	struct tls_key *key;

	if (fd == -1)
		return NULL;
	key = calloc(1, sizeof(*key));
	if (key != NULL && (key->path = strdup(path)) != NULL)
		key->data = fd_read_all(fd, KEY_FILE_MAX, &key->len);
	fd_close(&fd);
	if (key != NULL && key->data != NULL)
		return key;
	snprintf(problem, TLS_PROBLEM_SIZE, "%s", strerror(errno));
	tls_key_free(key);
	errno = EINVAL;
	return NULL;
}

static void
forget_data(struct tls_key *key)
{
	if (key->data != NULL)
		OPENSSL_cleanse(key->data, key->len);
	free(key->data);
	key->data = NULL;
}

int
tls_key_parse(struct tls_key *key, char problem[TLS_PROBLEM_SIZE])
{
	BIO *bio;

	if (key->data == NULL)
		return 0;
	tls_begin();
	if ((bio = BIO_new_mem_buf(key->data, (int)key->len)) != NULL) {
		key->pkey = read_private(bio);
		BIO_seek(bio, 0);
		key->cert = PEM_read_bio_X509(bio, NULL, no_password, NULL);
	}
	BIO_free(bio);
	forget_data(key);
	if (key->pkey == NULL || key->cert == NULL)
		snprintf(problem, TLS_PROBLEM_SIZE,
			"no key with its certificate: the file has %s in PEM: "
			"make a new key",
			key->cert != NULL   ? "no key without a password"
			: key->pkey != NULL ? "no certificate"
					    : "neither");
	else if (!type_known(key->pkey))
		snprintf(problem, TLS_PROBLEM_SIZE,
			"the key is neither P-256 nor Ed25519");
	else if (X509_check_private_key(key->cert, key->pkey) != 1)
		snprintf(problem, TLS_PROBLEM_SIZE,
			"the certificate belongs to another key");
	else
		return 0;
	ERR_clear_error();
	EVP_PKEY_free(key->pkey);
	X509_free(key->cert);
	key->pkey = NULL;
	key->cert = NULL;
	return -1;
}

struct tls_key *
tls_key_read(const char *path, char problem[TLS_PROBLEM_SIZE])
{
	struct tls_key *key = tls_key_open(path, problem);

	if (key == NULL || tls_key_parse(key, problem) == 0)
		return key;
	tls_key_free(key);
	errno = EINVAL;
	return NULL;
}

bool
tls_fingerprint(const X509 *cert, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	unsigned char hash[EVP_MAX_MD_SIZE], text[64], *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool done = false;

	if (len > 0 &&
		EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL)) {
		EVP_EncodeBlock(text, hash, HASH_BYTES);
		snprintf(fingerprint, TLS_FINGERPRINT_SIZE, PREFIX "%.*s",
			BASE64_LEN, (char *)text);
		done = true;
	}
	OPENSSL_free(der);
	ERR_clear_error();
	return done;
}

void
tls_key_fingerprint(
	const struct tls_key *key, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	/*
	 * tls_fingerprint() fails only if memory runs out. Then use the text
	 * "SHA256:", which is not the fingerprint of any key.
	 */
	if (!tls_fingerprint(key->cert, fingerprint))
		snprintf(fingerprint, TLS_FINGERPRINT_SIZE, PREFIX);
}

void
tls_key_free(struct tls_key *key)
{
	if (key == NULL)
		return;
	EVP_PKEY_free(key->pkey);
	X509_free(key->cert);
	forget_data(key);
	free(key->path);
	free(key);
}
