/*
 * The function that checks if a text has the form of a fingerprint. This file
 * does not use OpenSSL, so programs can link the function without OpenSSL.
 */
#include "tls.h"

#include <string.h>

#define PREFIX "SHA256:"
#define BASE64_LEN 43 /* base64 characters of a hash, without padding */

bool
tls_fingerprint_valid(const char *s)
{
	static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t prefix = strlen(PREFIX);

	/*
	 * The last character holds the last four bits of the hash, then two
	 * zero bits.
	 */
	return strncmp(s, PREFIX, prefix) == 0 &&
	       strspn(s + prefix, base64) == BASE64_LEN &&
	       s[prefix + BASE64_LEN] == '\0' &&
	       strchr("AEIMQUYcgkosw048", s[prefix + BASE64_LEN - 1]) != NULL;
}
