#include "home.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "bridle/"

/* NULL if nobody knows it. */
static const char *
find_home(void)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home != NULL && *home == '/')
		return home;
	pw = getpwuid(getuid());
	return pw && *pw->pw_dir == '/' ? pw->pw_dir : NULL;
}

int
home_path(const char *name, struct buf *path, struct buf *problem)
{
	const char *home = find_home();

	if (home == NULL) {
		buf_adds(problem, "there is no home folder: set HOME");
		return -1;
	}
	buf_addf(path, "%s/%s", strcmp(home, "/") == 0 ? "" : home, name);
	return 0;
}

int
home_file(const char *name, struct buf *path, struct buf *problem)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	struct buf below = { 0 };
	int result;

	/* It says itself that relative paths in it are to be ignored. */
	if (config != NULL && *config == '/') {
		buf_addf(path, "%s/" FOLDER "%s", config, name);
		return 0;
	}
	buf_addf(&below, ".config/" FOLDER "%s", name);
	result = home_path(buf_str(&below), path, problem);
	buf_free(&below);
	return result;
}

int
home_make_folder(const char *path, struct buf *problem)
{
	char *folder = strdup(path), *slash = folder;
	int result = 0;

	if (folder == NULL) {
		buf_adds(problem, "out of memory");
		return -1;
	}
	while (result == 0 && (slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		/* One that is there may be of a kind that nobody can make. */
		if (mkdir(folder, 0700) != 0 && access(folder, X_OK) != 0) {
			buf_addf(problem, "%s: %s", folder, strerror(errno));
			result = -1;
		}
		*slash = '/';
	}
	free(folder);
	return result;
}
