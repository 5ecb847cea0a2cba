/*
 * A hash table from names to numbers. Upper and lower case differ. No I/O. A
 * zeroed struct is an empty table.
 */
#ifndef BRIDLE_STRING_MAP_H
#define BRIDLE_STRING_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct string_map_slot {
	char *name; /* the name, owned by the table; NULL: the slot is free */
	size_t value;
};

struct string_map {
	struct string_map_slot *slots;
	size_t nslots; /* number of slots; a power of two, or 0 */
	size_t used;   /* number of names */
};

/*
 * Add a copy of the name, with `value` as the number of the name. Return 1 on
 * success. If the table has the name already, leave its number unchanged and
 * return 0. If memory cannot be allocated, return -1.
 */
int string_map_add(struct string_map *, const char *name, size_t value);

/*
 * True if the table has the name. In this case, store the number of the name in
 * *value, unless `value` is NULL.
 */
bool string_map_find(
	const struct string_map *, const char *name, size_t *value);

void string_map_free(struct string_map *);

#endif
