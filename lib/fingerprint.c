/*
 * What may be said of fingerprints without OpenSSL.
 */
#include "tls.h"

#include <string.h>

#define PREFIX "SHA256:"
#define BASE64_LEN 43 /* of 32 bytes, without the padding */

bool
tls_fingerprint_valid(const char *s)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t prefix = strlen(PREFIX);

	/* The last character stands for four bits and two zeroes. */
	return strncmp(s, PREFIX, prefix) == 0 &&
	       strspn(s + prefix, base64) == BASE64_LEN &&
	       s[prefix + BASE64_LEN] == '\0' &&
	       strchr("AEIMQUYcgkosw048", s[prefix + BASE64_LEN - 1]) != NULL;
}
