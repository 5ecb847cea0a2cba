#include "conf.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

static const char *
kind(const config_setting_t *at)
{
	switch (config_setting_type(at)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_GROUP:
		return "a group";
	default:
		return "a list";
	}
}

static void
wrong_kind(struct conf *c, const config_setting_t *at, const char *expected)
{
	conf_error(c, at, "must be %s, not %s", expected, kind(at));
}

static void
unknown_key(
	struct conf *c, const config_setting_t *at, const char *const *known)
{
	const char *near = text_nearest(config_setting_name(at), known);
	struct buf all = { 0 };

	if (near != NULL) {
		conf_error(c, at, "unknown key; did you mean %s?", near);
		return;
	}
	for (; *known != NULL; known++)
		buf_addf(&all, "%s %s", all.len ? "," : "", *known);
	conf_error(c, at, "unknown key; known keys are%s", buf_str(&all));
	buf_free(&all);
}

bool
conf_keys(
	struct conf *c, const config_setting_t *group, const char *const *known)
{
	const config_setting_t *at;
	bool good = true;
	unsigned i;

	if (!config_setting_is_group(group)) {
		wrong_kind(c, group, "a group, { … }");
		return false;
	}
	for (i = 0; (at = config_setting_get_elem(group, i)) != NULL; i++) {
		if (text_index(known, config_setting_name(at)) >= 0)
			continue;
		unknown_key(c, at, known);
		good = false;
	}
	return good;
}

/*
 * Return a copy of a string setting; the caller frees the copy. Report an error
 * and return NULL if the setting is not a string.
 */
static char *
copy_string(struct conf *c, const config_setting_t *at)
{
	const char *value = config_setting_get_string(at);
	char *copy;

	if (value == NULL) {
		wrong_kind(c, at, "text in double quotes");
		return NULL;
	}
	if ((copy = strdup(value)) == NULL)
		conf_error(c, at, "out of memory");
	return copy;
}

bool
conf_string(struct conf *c, const config_setting_t *at, char **out)
{
	char *copy;

	if (at == NULL)
		return true;
	if ((copy = copy_string(c, at)) == NULL)
		return false;
	*out = copy;
	return true;
}

bool
conf_number(struct conf *c, const config_setting_t *at, unsigned min,
	unsigned max, unsigned *out)
{
	long long v;

	if (at == NULL)
		return true;
	if (config_setting_type(at) == CONFIG_TYPE_INT) {
		v = config_setting_get_int(at);
	} else if (config_setting_type(at) == CONFIG_TYPE_INT64) {
		v = config_setting_get_int64(at);
	} else {
		conf_error(c, at,
			"must be a whole number from %u to %u, not %s", min,
			max, kind(at));
		return false;
	}
	if (v < min || v > max) {
		conf_error(
			c, at, "%lld is out of range: %u to %u", v, min, max);
		return false;
	}
	*out = (unsigned)v;
	return true;
}

bool
conf_bool(struct conf *c, const config_setting_t *at, bool *out)
{

	if (at == NULL)
		return true;
	if (config_setting_type(at) != CONFIG_TYPE_BOOL) {
		wrong_kind(c, at, "true or false");
		return false;
	}
	*out = config_setting_get_bool(at);
	return true;
}

static bool
is_list(const config_setting_t *at)
{
	return config_setting_is_list(at) || config_setting_is_array(at);
}

bool
conf_strings(struct conf *c, const config_setting_t *at, char ***out, size_t *n)
{
	const config_setting_t *from;
	bool single, good = true;
	size_t count, i;
	char **copy;

	if (at == NULL)
		return true;
	single = config_setting_type(at) == CONFIG_TYPE_STRING;
	if (!single && !is_list(at)) {
		wrong_kind(c, at, "a list of texts, (\"…\", \"…\")");
		return false;
	}
	count = single ? 1 : (size_t)config_setting_length(at);
	if ((copy = calloc(count + 1, sizeof(*copy))) == NULL) {
		conf_error(c, at, "out of memory");
		return false;
	}
	/*
	 * Continue after an invalid string, so that one call reports all
	 * errors.
	 */
	for (i = 0; i < count; i++) {
		from = single ? at : config_setting_get_elem(at, (unsigned)i);
		if ((copy[i] = copy_string(c, from)) == NULL)
			good = false;
	}
	if (!good) {
		for (i = 0; i < count; i++)
			free(copy[i]);
		free(copy);
		return false;
	}
	*out = copy;
	if (n != NULL)
		*n = count;
	return true;
}

void
conf_strings_free(char **strings)
{
	size_t i;

	for (i = 0; strings != NULL && strings[i] != NULL; i++)
		free(strings[i]);
	free(strings);
}
