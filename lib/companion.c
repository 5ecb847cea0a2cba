#include "companion.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void
companion_path(char path[PATH_MAX], const char *name, const char *installed)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash = NULL;

	if (n > 0 && n < PATH_MAX) {
		path[n] = '\0';
		slash = strrchr(path, '/');
	}
	if (slash != NULL &&
		strlen(name) < (size_t)(path + PATH_MAX - (slash + 1))) {
		strcpy(slash + 1, name);
		if (access(path, F_OK) == 0)
			return;
	}
	snprintf(path, PATH_MAX, "%s/%s", installed, name);
}
