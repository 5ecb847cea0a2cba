#include "sys/nsswitch.h"

#include <nss.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NSSWITCH "/etc/nsswitch.conf"

/*
 * Return the services in a line such as "passwd: files sss". Return NULL if the
 * line is of another database. The result points into the line.
 */
static char *
services_of(char *line, const char *database)
{
	char *name = line + strspn(line, " \t");
	size_t len = strlen(database);

	line[strcspn(line, "#\n")] = '\0';
	if (strncmp(name, database, len) != 0)
		return NULL;
	name += len + strspn(name + len, " \t");
	return *name == ':' ? name + 1 : NULL;
}

/*
 * Return the services of a database, which the caller frees. Return NULL if the
 * database has no line.
 */
static char *
read_services(const char *database)
{
	FILE *f = fopen(NSSWITCH, "re");
	char *line = NULL, *found = NULL;
	size_t size = 0;

	if (f == NULL)
		return NULL;
	while (found == NULL && getline(&line, &size, f) != -1) {
		found = services_of(line, database);
		if (found != NULL)
			found = strdup(found);
	}
	free(line);
	fclose(f);
	return found;
}

/*
 * Replace actions such as [NOTFOUND=return] by spaces, so that only the names
 * of services are left.
 */
static void
blank_actions(char *services)
{
	bool action = false;

	for (char *c = services; *c != '\0'; c++) {
		action |= *c == '[';
		if (action) {
			action = *c != ']';
			*c = ' ';
		}
	}
}

int
nsswitch_first_error(const char *database, int (*query)(void *), void *arg)
{
#ifdef __GLIBC__
	char *all = read_services(database), *names, *rest, *name;
	int error = 0;

	if (all == NULL || (rest = names = strdup(all)) == NULL) {
		free(all);
		return 0;
	}
	blank_actions(names);
	while (error == 0 && (name = strsep(&rest, " \t")) != NULL)
		if (*name != '\0' &&
			__nss_configure_lookup(database, name) == 0)
			error = query(arg);
	__nss_configure_lookup(database, all);
	free(names);
	free(all);
	return error;
#else
	return 0;
#endif
}
