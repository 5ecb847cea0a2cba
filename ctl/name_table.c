#include "name_table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64

/* FNV-1a; names come from the operator, who need not be fought. */
static uint64_t
hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3;
	return h ^ h >> 32;
}

/* Where the name is, or would be. There is always a free slot. */
static struct name_slot *
find_slot(const struct name_table *t, const char *name)
{
	size_t i = hash(name) & (t->nslots - 1);

	while (t->slots[i].name != NULL && strcmp(t->slots[i].name, name) != 0)
		i = (i + 1) & (t->nslots - 1);
	return &t->slots[i];
}

static int
grow(struct name_table *t)
{
	struct name_table larger = { .used = t->used };
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
name_table_add(struct name_table *t, const char *name, size_t value)
{
	struct name_slot *slot;

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
name_table_find(const struct name_table *t, const char *name, size_t *value)
{
	const struct name_slot *slot = t->nslots ? find_slot(t, name) : NULL;

	if (slot == NULL || slot->name == NULL)
		return false;
	if (value != NULL)
		*value = slot->value;
	return true;
}

void
name_table_free(struct name_table *t)
{
	size_t i;

	for (i = 0; i < t->nslots; i++)
		free(t->slots[i].name);
	free(t->slots);
	memset(t, 0, sizeof(*t));
}
