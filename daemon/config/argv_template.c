#include "config/argv_template.h"

#include <stdlib.h>
#include <string.h>

/*
 * Return the value for the placeholder that begins at `s`, and store the length
 * of the placeholder in *len. Return NULL if no known placeholder begins there.
 */
static const struct argv_template_value *
find(const char *s, const struct argv_template_value *values, size_t *len)
{
	size_t n;

	if (*s != '{')
		return NULL;
	for (; values->name != NULL; values++) {
		n = strlen(values->name);
		if (strncmp(s + 1, values->name, n) == 0 && s[n + 1] == '}') {
			*len = n + 2;
			return values;
		}
	}
	return NULL;
}

static char *
expand_one(const char *arg, const struct argv_template_value *values)
{
	const struct argv_template_value *v;
	struct buf b = { 0 };
	size_t len;
	char *out;

	while (*arg != '\0') {
		if ((v = find(arg, values, &len)) != NULL) {
			if (v->value != NULL)
				buf_adds(&b, v->value);
			arg += len;
		} else {
			buf_addc(&b, *arg++);
		}
	}
	buf_str(&b);
	out = b.failed ? NULL : strdup(b.data);
	buf_free(&b);
	return out;
}

static bool
is_absent(const char *arg, const struct argv_template_value *values)
{
	const struct argv_template_value *v;
	size_t len;

	v = find(arg, values, &len);
	return v != NULL && arg[len] == '\0' && v->value == NULL;
}

char **
argv_template_expand(
	char *const *argv, const struct argv_template_value *values)
{
	size_t n = 0, i;
	char **out;

	while (argv[n] != NULL)
		n++;
	if ((out = calloc(n + 1, sizeof(*out))) == NULL)
		return NULL;
	for (i = 0; *argv != NULL; argv++) {
		if (is_absent(*argv, values))
			continue;
		if ((out[i++] = expand_one(*argv, values)) == NULL) {
			argv_template_free(out);
			return NULL;
		}
	}
	return out;
}

void
argv_template_free(char **argv)
{
	char **arg;

	if (argv == NULL)
		return;
	for (arg = argv; *arg != NULL; arg++)
		free(*arg);
	free(argv);
}

/*
 * Append the argument in quotes, so that a user can run the printed command in
 * a shell.
 */
static void
print_quoted(const char *arg, struct buf *out)
{
	buf_addc(out, '\'');
	for (; *arg != '\0'; arg++) {
		if (*arg == '\'')
			buf_adds(out, "'\\''");
		else
			buf_addc(out, *arg);
	}
	buf_addc(out, '\'');
}

void
argv_template_print(char *const *argv, struct buf *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";
	const char *between = "";

	for (; *argv != NULL; argv++, between = " ") {
		buf_adds(out, between);
		if (**argv == '\0' || (*argv)[strspn(*argv, plain)] != '\0')
			print_quoted(*argv, out);
		else
			buf_adds(out, *argv);
	}
}
