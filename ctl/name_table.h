/*
 * Names, each with a number: found at once, however many there are. Case
 * counts. No I/O. A zeroed struct is an empty table.
 */
#ifndef BRIDLE_NAME_TABLE_H
#define BRIDLE_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>

struct name_slot {
	char *name; /* NULL: free */
	size_t value;
};

struct name_table {
	struct name_slot *slots;
	size_t nslots; /* a power of two, or 0 */
	size_t used;
};

/*
 * Adds a copy of the name: 1; or 0 if it was there, which keeps its number;
 * or -1 if memory is short.
 */
int name_table_add(struct name_table *, const char *name, size_t value);

/* Whether it is there; *value (which may be NULL) is its number then. */
bool name_table_find(
	const struct name_table *, const char *name, size_t *value);

void name_table_free(struct name_table *);

#endif
