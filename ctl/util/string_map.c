#include "util/string_map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64

/*
 * Return the FNV-1a hash of a name. The hash need not resist attacks, because
 * only the operator chooses the names.
 */
static uint64_t
hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3;
	return h ^ h >> 32;
}

/*
 * Return the slot that has the name. If no slot has the name, return a free
 * slot for the name. The search ends because the table always has free slots.
 */
static struct string_map_slot *
find_slot(const struct string_map *t, const char *name)
{
	size_t i = hash(name) & (t->nslots - 1);

	while (t->slots[i].name != NULL && strcmp(t->slots[i].name, name) != 0)
		i = (i + 1) & (t->nslots - 1);
	return &t->slots[i];
}

static int
grow(struct string_map *t)
{
	struct string_map larger = { .used = t->used };
	size_t i;

	larger.nslots = t->nslots ? 2 * t->nslots : SLOTS_MIN;
	larger.slots = calloc(larger.nslots, sizeof(*larger.slots));
	if (larger.slots == NULL)
		return -1;
	for (i = 0; i < t->nslots; i++)
		if (t->slots[i].name != NULL)
			*find_slot(&larger, t->slots[i].name) = t->slots[i];
	free(t->slots);
	*t = larger;
	return 0;
}

int
string_map_add(struct string_map *t, const char *name, size_t value)
{
	struct string_map_slot *slot;

	if (t->nslots <= 2 * t->used && grow(t) != 0)
		return -1;
	slot = find_slot(t, name);
	if (slot->name != NULL)
		return 0;
	if ((slot->name = strdup(name)) == NULL)
		return -1;
	slot->value = value;
	t->used++;
	return 1;
}

bool
string_map_find(const struct string_map *t, const char *name, size_t *value)
{
	const struct string_map_slot *slot =
		t->nslots ? find_slot(t, name) : NULL;

	if (slot == NULL || slot->name == NULL)
		return false;
	if (value != NULL)
		*value = slot->value;
	return true;
}

void
string_map_free(struct string_map *t)
{
	size_t i;

	for (i = 0; i < t->nslots; i++)
		free(t->slots[i].name);
	free(t->slots);
	memset(t, 0, sizeof(*t));
}
