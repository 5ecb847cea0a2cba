/*
 * The # protocol: lines, fields and their encoding, as in bridle-protocol(7).
 * Pure functions over bytes: no I/O, no allocation but in struct buf.
 */
#ifndef BRIDLE_WIRE_H
#define BRIDLE_WIRE_H

#include "buf.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_LINE_MAX 4096    /* bytes of a request line, without its LF */
#define WIRE_FIELDS_MAX 16    /* fields of a request, version and verb too */
#define WIRE_REPLY_MAX 16384  /* bytes of a reply line, without its LF */
#define WIRE_COMMAND_MAX 4096 /* bytes of a list's command before encoding */
#define WIRE_CHUNK_MAX 65536
#define WIRE_COLUMNS_MAX 32

#define WIRE_PORT "7070"
#define WIRE_PORT_TLS "7071"
#define WIRE_TLS_ONLY "this port speaks TLS only"

enum wire_code {
	CODE_RECORD = 100,
	CODE_CHUNK = 101,
	CODE_OK = 200,
	CODE_ACCEPTED = 202,
	CODE_PARTLY = 207,
	CODE_MALFORMED = 400,
	CODE_NO_IDENTITY = 401,
	CODE_NOT_ALLOWED = 403,
	CODE_NO_MATCH = 404,
	CODE_TOO_SLOW = 408,
	CODE_IN_THE_WAY = 409,
	CODE_TOO_LONG = 413,
	CODE_TOO_MANY = 429,
	CODE_FAILED = 500,
	CODE_UNKNOWN_VERB = 501,
	CODE_STOPPING = 503,
	CODE_UNKNOWN_VERSION = 505
};

/* A few words for a code ("nothing matches"), NULL if it is not ours. */
const char *wire_code_text(int code);

/* Bytes within a line; not NUL-terminated. */
struct wire_field {
	char *s;
	size_t len;
};

/*
 * Cuts a line at every '#' into at most max fields. Returns how many there
 * are, which may be more than max: then only the first max were filled.
 */
size_t wire_split(char *line, size_t len, struct wire_field *, size_t max);

/*
 * Decodes %XX in place and NUL-terminates: s must have room for one byte
 * past len (the '#' or LF that stood there). Returns the decoded length, or
 * -1 for a '%' without two hexadecimal digits, %00, or a raw byte under 0x20.
 */
ssize_t wire_decode(char *s, size_t len);

/* Appends the bytes in the encoding that replies use. */
void wire_encode(struct buf *, const char *s, size_t len);

/*
 * A record or status is begun, filled field by field and ended:
 *     wire_record(b); wire_puts(b, "x"); wire_putu(b, 7); wire_end(b);
 *     wire_status(b, 200, "done"); wire_pair(b, "id", "17"); wire_end(b);
 */
void wire_record(struct buf *);
void wire_put(struct buf *, const char *s, size_t len);
void wire_puts(struct buf *, const char *s);
void wire_putu(struct buf *, unsigned long long);
void wire_status(struct buf *, int code, const char *text);
void wire_pair(struct buf *, const char *key, const char *value);
void wire_end(struct buf *);

/* A record of column names; the list ends with NULL. */
void wire_columns(struct buf *, const char *const *names);

/* One line of a reply, as a client meets it. */
struct wire_reply {
	int code;
	/* CODE_CHUNK: the stream and how many raw bytes follow the line */
	unsigned stream;
	size_t size;
	/* else: the fields after the code, still encoded */
	size_t nfields;
	struct wire_field fields[WIRE_COLUMNS_MAX];
};

/*
 * Takes a reply line (without LF) apart in place. Returns 0, or -1 if it is
 * not one: not version 1, no code of three digits, more than 32 fields.
 */
int wire_reply(char *line, size_t len, struct wire_reply *);

#endif
