#include "conf.h"

#include "fd.h"
#include "text.h"
#include "trusted_path.h"

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

/* Bytes that a key can contain, as in libconfig's lexer */
#define NAME_BYTES \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789*-_"

/*
 * Append the path of a setting, which begins at the top level of the file, for
 * example "clients[1].kill.signals".
 */
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

/*
 * If the setting is in a list entry with a key `name`, append the value of
 * `name` in parentheses. An example is " (teacher)".
 */
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
 * Append one line. Escape the whole line for terminals and the log, because
 * names, values and paths can contain any byte.
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
add_message(const struct conf *c, struct buf *to, const config_setting_t *at,
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
	add_message(c, c->errors, at, "", fmt, ap);
	va_end(ap);
}

void
conf_warn(struct conf *c, const config_setting_t *at, const char *fmt, ...)
{
	va_list ap;

	if (c->warnings == NULL)
		return;
	va_start(ap, fmt);
	add_message(c, c->warnings, at, "warning: ", fmt, ap);
	va_end(ap);
}

/*
 * Report an error in a text that has not been parsed into settings. Return
 * false.
 */
static bool __attribute__((format(printf, 3, 4)))
syntax_error(struct conf *c, unsigned line, const char *fmt, ...)
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
 * State of the lexical check, which runs before libconfig parses the text. The
 * check finds strings, comments and numbers as libconfig's lexer does. The
 * check refuses some errors that libconfig accepts silently. Such errors are
 * @include, a number that overflows, and a comment or string without an end.
 * Other such errors are \x00 in a string, and two strings without a comma
 * between them. Since version 1.7, libconfig also accepts a comma without a
 * following value.
 */
struct scan {
	struct conf *conf;
	const char *at; /* unread part of the text, which ends with NUL */
	unsigned line;
	unsigned comma;  /* line of the last token if it was a comma; else 0 */
	unsigned string; /* line of the last token if it was a string; else 0 */
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
	const char *end;

	if (s->at[1] != '*') {
		s->at += strcspn(s->at, "\n");
		return true;
	}
	if ((end = strstr(s->at + 2, "*/")) == NULL)
		return syntax_error(s->conf, s->line,
			"the comment that begins here never ends");
	while (s->at < end + 2)
		advance(s);
	return true;
}

static bool
scan_string(struct scan *s)
{
	unsigned begin = s->line;

	for (s->at++; *s->at != '\0'; advance(s)) {
		if (*s->at == '"') {
			s->at++;
			s->string = s->line;
			return true;
		}
		if (*s->at != '\\')
			continue;
		if (strncmp(s->at, "\\x00", 4) == 0)
			return syntax_error(s->conf, s->line,
				"\\x00 is not allowed: it would end the text");
		if (s->at[1] == '"' || s->at[1] == '\\')
			s->at++;
	}
	return syntax_error(
		s->conf, begin, "the text that begins here never ends");
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
		return syntax_error(s->conf, s->line,
			"the number %.*s is too large to be read",
			(int)(end - s->at < 24 ? end - s->at : 24), s->at);
	s->at = end;
	return true;
}

/*
 * Check the first byte of the next token. Report an error and return false if
 * this token must not follow the previous token. The previous token can be a
 * comma or a string.
 */
static bool
check_order(struct scan *s)
{
	if (s->comma != 0 && strchr(",)]", *s->at) != NULL)
		return syntax_error(s->conf, s->comma,
			"syntax error: no value follows the comma; remove it");
	if (s->string != 0 && *s->at == '"')
		return syntax_error(s->conf, s->string,
			"a comma is missing after this text: another text "
			"follows, and the two would become one");
	s->comma = *s->at == ',' ? s->line : 0;
	s->string = 0;
	return true;
}

/*
 * Skip one token, one comment or one space character. Return false and report
 * an error if the token is not allowed.
 */
static bool
scan_token(struct scan *s)
{
	const char *p = s->at;

	if (*p == '#' || (*p == '/' && (p[1] == '/' || p[1] == '*')))
		return scan_comment(s);
	if (isspace((unsigned char)*p)) {
		advance(s);
		return true;
	}
	if (!check_order(s))
		return false;
	if (*p == '"')
		return scan_string(s);
	if (*p == '@')
		return syntax_error(s->conf, s->line,
			"@include is not allowed: put all settings here");
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
	struct scan s = { .conf = c, .at = text, .line = 1 };

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

/* Parse the text, and free the buffer. Return 0, or -1 with an error. */
static int
parse(struct conf *c, struct buf *text)
{
	int result = -1;

	/* libconfig reports an error if a comment ends the text without LF. */
	buf_addc(text, '\n');
	buf_str(text);
	if (text->failed) {
		conf_error(c, NULL, "out of memory");
	} else if (text->len > CONF_SIZE_MAX) {
		conf_error(c, NULL, "is larger than %d bytes", CONF_SIZE_MAX);
	} else if (scan(c, text->data)) {
		if (config_read_string(&c->config, text->data))
			result = 0;
		else
			syntax_error(c, (unsigned)config_error_line(&c->config),
				"%s, here or shortly before",
				config_error_text(&c->config));
	}
	buf_free(text);
	return result;
}

static void
init(struct conf *c, const char *name, struct buf *errors, struct buf *warnings)
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

	init(c, name, errors, warnings);
	buf_adds(&copy, text);
	return parse(c, &copy);
}

/*
 * True if the open file is a regular file that only trusted users can change.
 * Check the descriptor, because the path can lead to another file now.
 */
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

/* Read the whole file into `text`. Return 0, or -1 with an error. */
static int
read_file(struct conf *c, struct buf *text)
{
	char *data, *nul;
	size_t len;
	int fd;

	/*
	 * With O_NONBLOCK, open(2) does not wait if the path is a FIFO. With
	 * O_NOCTTY, a terminal at this path does not become the controlling
	 * terminal.
	 */
	fd = open(c->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1) {
		conf_error(c, NULL, "cannot be opened: %s", strerror(errno));
		return -1;
	}
	if (!check_file(c, fd)) {
		fd_close(&fd);
		return -1;
	}
	data = fd_read_all(fd, CONF_SIZE_MAX, &len);
	fd_close(&fd);
	if (data == NULL) {
		conf_error(c, NULL, "cannot be read: %s", strerror(errno));
		return -1;
	}
	if ((nul = memchr(data, '\0', len)) != NULL)
		syntax_error(c, line_of(data, nul), "has a NUL byte");
	buf_add(text, data, len);
	free(data);
	return nul == NULL ? 0 : -1;
}

int
conf_open(struct conf *c, const char *path, struct buf *errors,
	struct buf *warnings)
{
	struct buf text = { 0 };

	init(c, path, errors, warnings);
	if (read_file(c, &text) == 0)
		return parse(c, &text);
	buf_free(&text);
	return -1;
}

int
conf_read(const char *path, struct buf *text, struct buf *errors)
{
	struct conf c = { .name = path, .errors = errors };

	return read_file(&c, text);
}

void
conf_close(struct conf *c)
{
	config_destroy(&c->config);
}
