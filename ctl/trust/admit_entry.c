#include "trust/admit_entry.h"

#include "conf.h"
#include "util/message.h"

#include <libconfig.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Replace the setting in the group by an empty setting. */
static config_setting_t *
renew(config_setting_t *group, const char *name, int type)
{
	config_setting_remove(group, name);
	return config_setting_add(group, name, type);
}

static bool
set_string(config_setting_t *group, const char *name, const char *value)
{
	return value == NULL ||
	       config_setting_set_string(
		       renew(group, name, CONFIG_TYPE_STRING), value);
}

/*
 * Set a list to the words of `value`, which are separated by commas. Return
 * false if no memory is available.
 */
static bool
set_list(config_setting_t *group, const char *name, const char *value)
{
	config_setting_t *list;
	char *copy, *rest, *word;
	bool good;

	if (value == NULL)
		return true;
	list = renew(group, name, CONFIG_TYPE_LIST);
	rest = copy = strdup(value);
	good = list != NULL && copy != NULL;
	while (good && (word = strsep(&rest, ",")) != NULL)
		good = config_setting_set_string_elem(list, -1, word) != NULL;
	free(copy);
	return good;
}

static bool
set_all(config_setting_t *entry, const struct admit *a, const char *keys)
{
	return entry != NULL && set_list(entry, "key", keys) &&
	       set_list(entry, "from", a->from) &&
	       set_string(entry, "until", a->until) &&
	       set_list(entry, "allow", a->allow);
}

/* Append the text of the configuration. Returns 0, or -1 after a message. */
static int
add_text(config_t *config, const char *name, struct buf *out)
{
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);

	/*
	 * Write "=" before each group, not ":", as in the usual bridled.conf.
	 */
	config_set_options(
		config, config_get_options(config) &
				~CONFIG_OPTION_COLON_ASSIGNMENT_FOR_GROUPS);
	if (file != NULL) {
		config_write(config, file);
		if (fclose(file) != 0) {
			free(text);
			text = NULL;
		}
	}
	if (text == NULL) {
		message_print("out of memory");
		return -1;
	}
	buf_addf(out,
		"# Written by bridlectl. To end this access, run 'bridlectl "
		"revoke %s'.\n",
		name);
	buf_add(out, text, len);
	free(text);
	return 0;
}

int
admit_entry_new(const struct admit *a, struct buf *out)
{
	config_setting_t *list, *entry = NULL;
	config_t config;
	int result = -1;

	config_init(&config);
	list = config_setting_add(
		config_root_setting(&config), "clients", CONFIG_TYPE_LIST);
	if (list != NULL)
		entry = config_setting_add(list, NULL, CONFIG_TYPE_GROUP);
	if (entry != NULL && set_string(entry, "name", a->name) &&
		set_all(entry, a, a->key))
		result = add_text(&config, a->name, out);
	else
		message_print("out of memory");
	config_destroy(&config);
	return result;
}

/* Return the entry of `clients` with this name, or NULL. */
static config_setting_t *
find_entry(config_t *config, const char *name)
{
	config_setting_t *list = config_lookup(config, "clients"), *entry;
	const char *has;
	unsigned i;

	for (i = 0; list != NULL &&
		    (entry = config_setting_get_elem(list, i)) != NULL;
		i++)
		if (config_setting_lookup_string(entry, "name", &has) &&
			strcmp(has, name) == 0)
			return entry;
	return NULL;
}

int
admit_entry_edit(const struct admit *a, const char *path, const char *keys,
	struct buf *out)
{
	struct buf errors = { 0 };
	config_setting_t *entry;
	struct conf conf;
	int result = -1;

	if (conf_open(&conf, path, &errors, NULL) != 0)
		message_lines(NULL, buf_str(&errors));
	else if ((entry = find_entry(&conf.config, a->name)) == NULL)
		message_print("%s has no entry '%s' in clients", path, a->name);
	else if (!set_all(entry, a, keys))
		message_print("out of memory");
	else
		result = add_text(&conf.config, a->name, out);
	conf_close(&conf);
	buf_free(&errors);
	return result;
}
