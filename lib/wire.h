/*
 * The protocol of bridle-protocol(7): lines, fields, and the encoding of
 * fields. These functions do no I/O, and allocate memory only in a struct buf.
 */
#ifndef BRIDLE_WIRE_H
#define BRIDLE_WIRE_H

#include "buf.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_LINE_MAX 4096    /* maximum bytes of a request line, without LF */
#define WIRE_FIELDS_MAX 16    /* maximum fields, including version and verb */
#define WIRE_REPLY_MAX 16384  /* maximum bytes of a reply line, without LF */
#define WIRE_COMMAND_MAX 4096 /* maximum bytes of a command before encoding */
#define WIRE_CHUNK_MAX 65536
#define WIRE_COLUMNS_MAX 32

#define WIRE_PORT "7074"
#define WIRE_PORT_TLS "7075"
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
	CODE_CONFLICT = 409,
	CODE_TOO_LONG = 413,
	CODE_TOO_MANY = 429,
	CODE_FAILED = 500,
	CODE_UNKNOWN_VERB = 501,
	CODE_UNAVAILABLE = 503,
	CODE_UNKNOWN_VERSION = 505
};

/*
 * Return a short text for a code, for example "nothing matches". Return NULL
 * for an unknown code.
 */
const char *wire_code_text(int code);

/* A field: a range of bytes within a line, without a NUL at its end. */
struct wire_field {
	char *s;
	size_t len;
};

/*
 * Split a line at each '#' into at most max fields. Return the number of fields
 * in the line. If this number is above `max`, only `max` fields are set.
 */
size_t wire_split(char *line, size_t len, struct wire_field *, size_t max);

/*
 * Decode each %XX in place, and put a NUL at the end. s[len], where the '#' or
 * LF was, must be writable. Return the decoded length. Return -1 if a '%' is
 * not followed by two hexadecimal digits. Also return -1 if s contains %00 or
 * an unencoded byte below 0x20.
 */
ssize_t wire_decode(char *s, size_t len);

/* Append the bytes, encoded as a field of a reply. */
void wire_encode(struct buf *, const char *s, size_t len);

/*
 * Append a record or a status line: begin the line, add the fields, then end
 * the line.
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

/*
 * Append a record with the names of columns. The list `names` ends with NULL.
 */
void wire_columns(struct buf *, const char *const *names);

/* A line of a reply, split by wire_reply(). */
struct wire_reply {
	int code;
	/*
	 * for CODE_CHUNK: number of the stream, and number of raw bytes that
	 * follow the line
	 */
	unsigned stream;
	size_t size;
	/* for any other code: the fields after the code, not decoded yet */
	size_t nfields;
	struct wire_field fields[WIRE_COLUMNS_MAX];
};

/*
 * Split a reply line (without LF) in place. Return 0, or -1 if the line is not
 * a reply. A reply has version 1, a code of three digits, and at most 32
 * fields.
 */
int wire_reply(char *line, size_t len, struct wire_reply *);

#endif
