#include "hosts/client_conf_parse.h"

#include <stdlib.h>

const config_setting_t *
reading_member(const config_setting_t *group, const char *key)
{
	const config_setting_t *at = config_setting_get_member(group, key);

	return at ? at : group;
}

bool
reading_no_memory(struct reading *r)
{
	conf_error(r->conf, NULL, "out of memory");
	return false;
}

void *
reading_grow(struct reading *r, void *array, size_t n, size_t size)
{
	size_t room = 1;
	void *grown;

	/*
	 * Allocate memory for a power of two. If elements are added one by one,
	 * the array is then rarely copied.
	 */
	while (room < n)
		room *= 2;
	grown = reallocarray(array, room, size);

	if (grown == NULL)
		reading_no_memory(r);
	return grown;
}
