/*
 * A fast reader for keys of both types, in the form that bridlectl and bridled
 * write. The reader does not use OpenSSL's decoders, because their set-up takes
 * longer than a whole handshake. RFC 5958 describes PKCS #8; RFC 5915 and RFC
 * 8410 describe the keys inside.
 */
#include "tls_openssl.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <string.h>

#define KEY_BYTES 32   /* size in bytes of a private key of either type */
#define POINT_BYTES 65 /* size in bytes of a public P-256 key: 4, x, y */

/*
 * Return the Ed25519 key in the PKCS #8 key field, or NULL. The field holds one
 * OCTET STRING.
 */
static EVP_PKEY *
read_ed25519(const unsigned char *s, size_t len)
{
	if (len != 2 + KEY_BYTES || s[0] != V_ASN1_OCTET_STRING ||
		s[1] != KEY_BYTES)
		return NULL;
	return EVP_PKEY_new_raw_private_key(
		EVP_PKEY_ED25519, NULL, s + 2, KEY_BYTES);
}

static OSSL_PARAM *
p256_params(const unsigned char *private, const unsigned char *point)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *number = BN_secure_new();
	OSSL_PARAM *params = NULL;

	if (build != NULL && number != NULL &&
		BN_bin2bn(private, KEY_BYTES, number) != NULL &&
		OSSL_PARAM_BLD_push_utf8_string(
			build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) &&
		OSSL_PARAM_BLD_push_BN(
			build, OSSL_PKEY_PARAM_PRIV_KEY, number) &&
		OSSL_PARAM_BLD_push_octet_string(
			build, OSSL_PKEY_PARAM_PUB_KEY, point, POINT_BYTES))
		params = OSSL_PARAM_BLD_to_param(build);
	OSSL_PARAM_BLD_free(build);
	BN_clear_free(number);
	return params;
}

static EVP_PKEY *
make_p256(const unsigned char *private, const unsigned char *point)
{
	OSSL_PARAM *params = p256_params(private, point);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *pkey = NULL;

	if (params == NULL || c == NULL || EVP_PKEY_fromdata_init(c) != 1 ||
		EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
		pkey = NULL;
	EVP_PKEY_CTX_free(c);
	OSSL_PARAM_free(params);
	return pkey;
}

/*
 * Return the P-256 key in the PKCS #8 key field, or NULL. The field holds an
 * ECPrivateKey in the form that OpenSSL writes. This form is the number 1, the
 * private key, and the public key in a BIT STRING. The optional parameters
 * before the public key are absent.
 */
static EVP_PKEY *
read_p256(const unsigned char *s, size_t len)
{
	static const unsigned char begin[] = { 0x30, 0x6b, 0x02, 0x01, 0x01,
		0x04, KEY_BYTES };
	static const unsigned char middle[] = { 0xa1, 0x44, 0x03, 0x42, 0x00,
		0x04 };
	const unsigned char *private = s + sizeof(begin);
	const unsigned char *rest = private + KEY_BYTES;

	if (len != sizeof(begin) + KEY_BYTES + sizeof(middle) + POINT_BYTES -
				1 ||
		memcmp(s, begin, sizeof(begin)) != 0 ||
		memcmp(rest, middle, sizeof(middle)) != 0)
		return NULL;
	return make_p256(private, rest + sizeof(middle) - 1);
}

static bool
is_p256(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *oid;
	const void *value;
	int type;

	X509_ALGOR_get0(&oid, &type, &value, algorithm);
	return OBJ_obj2nid(oid) == NID_X9_62_id_ecPublicKey &&
	       type == V_ASN1_OBJECT &&
	       OBJ_obj2nid(value) == NID_X9_62_prime256v1;
}

EVP_PKEY *
tls_pkcs8_read(const unsigned char *der, long len)
{
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, len);
	const X509_ALGOR *algorithm;
	const ASN1_OBJECT *oid;
	const unsigned char *s;
	EVP_PKEY *pkey = NULL;
	int n;

	if (info == NULL)
		return NULL;
	if (PKCS8_pkey_get0(&oid, &s, &n, &algorithm, info) != 1 || n < 0)
		pkey = NULL;
	else if (OBJ_obj2nid(oid) == NID_ED25519)
		pkey = read_ed25519(s, (size_t)n);
	else if (is_p256(algorithm))
		pkey = read_p256(s, (size_t)n);
	PKCS8_PRIV_KEY_INFO_free(info);
	return pkey;
}
