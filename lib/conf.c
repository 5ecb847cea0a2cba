#include "conf.h"

#include "fd.h"
#include "text.h"
#include "trusted.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a key, as libconfig's lexer has it. */
#define NAME_BYTES \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-_"

/* Appends "clients[1].kill.signals". */
static void
add_path(struct buf *out, const config_setting_t *at)
{
	const config_setting_t *parent = config_setting_parent(at);
	const char *name = config_setting_name(at);

	if (parent == NULL)
		return;
	add_path(out, parent);
	if (name == NULL) {
		buf_addf(out, "[%d]", config_setting_index(at));
		return;
	}
	if (!config_setting_is_root(parent))
		buf_addc(out, '.');
	buf_adds(out, name);
}

/* Appends " (teacher)" if it stands within an entry that has a name. */
static void
add_entry_name(struct buf *out, const config_setting_t *at)
{
	const char *name;

	for (; at != NULL; at = config_setting_parent(at)) {
		if (config_setting_name(at) != NULL ||
			!config_setting_is_group(at) ||
			!config_setting_lookup_string(at, "name", &name))
			continue;
		buf_addf(out, " (%s)", name);
		return;
	}
}

/*
 * Appends one line. The whole of it is made safe, since names, values and
 * paths stand in it, and it goes to terminals and to the log.
 */
static void __attribute__((format(printf, 3, 0)))
add_line(struct buf *to, struct buf *where, const char *fmt, va_list ap)
{
	char *text;

	if (vasprintf(&text, fmt, ap) < 0) {
		to->failed = true;
		return;
	}
	buf_adds(where, text);
	free(text);
	text_safe(to, buf_str(where), where->len);
	buf_addc(to, '\n');
	to->failed |= where->failed;
}

static void __attribute__((format(printf, 5, 0)))
tell(const struct conf *c, struct buf *to, const config_setting_t *at,
	const char *grade, const char *fmt, va_list ap)
{
	struct buf where = { 0 };

	buf_adds(&where, c->name);
	if (at != NULL && config_setting_source_line(at) > 0)
		buf_addf(&where, ":%u", config_setting_source_line(at));
	buf_addf(&where, ": %s", grade);
	if (at != NULL && !config_setting_is_root(at)) {
		add_path(&where, at);
		add_entry_name(&where, at);
		buf_adds(&where, ": ");
	}
	add_line(to, &where, fmt, ap);
	buf_free(&where);
}

void
conf_error(struct conf *c, const config_setting_t *at, const char *fmt, ...)
{
	va_list ap;

	c->failed = true;
	va_start(ap, fmt);
	tell(c, c->errors, at, "", fmt, ap);
	va_end(ap);
}

void
conf_warn(struct conf *c, const config_setting_t *at, const char *fmt, ...)
{
	va_list ap;

	if (c->warnings == NULL)
		return;
	va_start(ap, fmt);
	tell(c, c->warnings, at, "warning: ", fmt, ap);
	va_end(ap);
}

/* For what is wrong before there are settings to point at. */
static bool __attribute__((format(printf, 3, 4)))
refuse(struct conf *c, unsigned line, const char *fmt, ...)
{
	struct buf where = { 0 };
	va_list ap;

	c->failed = true;
	buf_addf(&where, "%s:%u: ", c->name, line);
	va_start(ap, fmt);
	add_line(c->errors, &where, fmt, ap);
	va_end(ap);
	buf_free(&where);
	return false;
}

/*
 * The lexical pass. It knows as much of libconfig's lexer as is needed to
 * tell what is a string, a comment or a number, and refuses what libconfig
 * would take in silence: included files, numbers that wrap, a comment or
 * string without end, and bytes that would cut a string short.
 */
struct scan {
	struct conf *conf;
	const char *at; /* ends with NUL */
	unsigned line;
};

static void
advance(struct scan *s)
{
	if (*s->at == '\n')
		s->line++;
	s->at++;
}

static bool
scan_comment(struct scan *s)
{
	unsigned begin = s->line;

	if (s->at[1] != '*') {
		s->at += strcspn(s->at, "\n");
		return true;
	}
	for (s->at += 2; *s->at != '\0'; advance(s)) {
		if (s->at[0] == '*' && s->at[1] == '/') {
			s->at += 2;
			return true;
		}
	}
	return refuse(
		s->conf, begin, "the comment that begins here never ends");
}

static bool
scan_string(struct scan *s)
{
	unsigned begin = s->line;

	for (s->at++; *s->at != '\0'; advance(s)) {
		if (*s->at == '"') {
			s->at++;
			return true;
		}
		if (*s->at != '\\')
			continue;
		if (strncmp(s->at, "\\x00", 4) == 0)
			return refuse(s->conf, s->line,
				"\\x00 would cut the text short");
		if (s->at[1] == '"' || s->at[1] == '\\')
			s->at++;
	}
	return refuse(s->conf, begin, "the text that begins here never ends");
}

static bool
scan_number(struct scan *s)
{
	const char *start = s->at;
	unsigned long long v, max;
	bool negative = *start == '-', hex;
	char *end;

	if (*start == '-' || *start == '+')
		start++;
	hex = start[0] == '0' && (start[1] == 'x' || start[1] == 'X');
	errno = 0;
	v = strtoull(start, &end, hex ? 16 : 10);
	if (!hex && (*end == '.' || *end == 'e' || *end == 'E')) {
		s->at = end + strspn(end, "0123456789.eE+-");
		return true;
	}
	max = *end == 'L' ? INT64_MAX : INT32_MAX;
	if (negative)
		max++;
	end += strspn(end, "L");
	if (errno == ERANGE || v > max)
		return refuse(s->conf, s->line,
			"the number %.*s is too large to be read",
			(int)(end - s->at < 24 ? end - s->at : 24), s->at);
	s->at = end;
	return true;
}

/* Takes one token, or some of the blanks between two. */
static bool
scan_token(struct scan *s)
{
	const char *p = s->at;

	if (*p == '#' || (*p == '/' && (p[1] == '/' || p[1] == '*')))
		return scan_comment(s);
	if (*p == '"')
		return scan_string(s);
	if (*p == '@')
		return refuse(s->conf, s->line,
			"@include is refused: all must stand in this file");
	if (isdigit((unsigned char)*p) ||
		((*p == '-' || *p == '+') && isdigit((unsigned char)p[1])))
		return scan_number(s);
	if (*p == '.')
		s->at += 1 + strspn(p + 1, "0123456789eE+-");
	else if (*p == '*' || isalpha((unsigned char)*p))
		s->at += strspn(p, NAME_BYTES);
	else
		advance(s);
	return true;
}

static bool
scan(struct conf *c, const char *text)
{
	struct scan s = { c, text, 1 };

	while (*s.at != '\0')
		if (!scan_token(&s))
			return false;
	return true;
}

static unsigned
line_of(const char *text, const char *at)
{
	unsigned line = 1;

	for (; text < at; text++)
		line += *text == '\n';
	return line;
}

/* Takes the text over: it may be changed, and is freed. */
static int
parse(struct conf *c, struct buf *text)
{
	const char *nul;
	int result = -1;

	/* A comment in the last line is a syntax error without its end. */
	buf_addc(text, '\n');
	buf_str(text);
	if (text->failed) {
		conf_error(c, NULL, "out of memory");
	} else if (text->len > CONF_SIZE_MAX) {
		conf_error(c, NULL, "is larger than %d bytes", CONF_SIZE_MAX);
	} else if ((nul = memchr(text->data, '\0', text->len)) != NULL) {
		refuse(c, line_of(text->data, nul), "has a NUL byte");
	} else if (scan(c, text->data)) {
		if (config_read_string(&c->config, text->data))
			result = 0;
		else
			refuse(c, (unsigned)config_error_line(&c->config),
				"%s, here or shortly before",
				config_error_text(&c->config));
	}
	buf_free(text);
	return result;
}

static void
begin(struct conf *c, const char *name, struct buf *errors,
	struct buf *warnings)
{
	memset(c, 0, sizeof(*c));
	config_init(&c->config);
	c->name = name;
	c->errors = errors;
	c->warnings = warnings;
}

int
conf_open_text(struct conf *c, const char *text, const char *name,
	struct buf *errors, struct buf *warnings)
{
	struct buf copy = { 0 };

	begin(c, name, errors, warnings);
	buf_adds(&copy, text);
	return parse(c, &copy);
}

/* What is opened is what is judged, so the descriptor is asked. */
static bool
check_file(struct conf *c, int fd)
{
	struct buf why = { 0 };
	struct stat st;
	bool good = false;

	if (fstat(fd, &st) != 0)
		conf_error(c, NULL, "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		conf_error(c, NULL, "is not a regular file");
	else if (trusted_file(c->name, &st, &why))
		good = true;
	else
		conf_error(c, NULL, "%s", buf_str(&why));
	buf_free(&why);
	return good;
}

int
conf_open(struct conf *c, const char *path, struct buf *errors,
	struct buf *warnings)
{
	struct buf text = { 0 };
	int fd;

	begin(c, path, errors, warnings);
	/* Not to hang on a fifo, nor to be given a terminal. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1) {
		conf_error(c, NULL, "cannot be opened: %s", strerror(errno));
		return -1;
	}
	if (!check_file(c, fd)) {
		fd_close(&fd);
		return -1;
	}
	text.data = fd_read_all(fd, CONF_SIZE_MAX, &text.len);
	fd_close(&fd);
	if (text.data == NULL) {
		conf_error(c, NULL, "cannot be read: %s", strerror(errno));
		return -1;
	}
	text.cap = text.len + 1;
	return parse(c, &text);
}

void
conf_close(struct conf *c)
{
	config_destroy(&c->config);
}
