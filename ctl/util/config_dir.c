#include "util/config_dir.h"

#include "util/problem.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER "bridlectl"
/* the folder of version 0.1 */
#define OLD_FOLDER "bridle"

/* Return the home folder, or NULL if neither HOME nor passwd(5) has a path. */
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
config_dir_home_path(const char *name, struct buf *path, struct buf *problem)
{
	const char *home = find_home();

	if (home == NULL)
		return problem_add(
			problem, "your home folder is unknown; set HOME");
	buf_addf(path, "%s/%s", strcmp(home, "/") == 0 ? "" : home, name);
	return 0;
}

/*
 * Append the path of the file `name` to `path`. The folder of the file is the
 * value of the environment variable `variable`. If this variable is not set,
 * the folder is `standard` in the home folder. Ignore a relative path in the
 * variable, as the XDG specification says.
 */
static int
add_xdg_path(const char *variable, const char *standard, const char *name,
	struct buf *path, struct buf *problem)
{
	const char *folder = getenv(variable);
	struct buf below = { 0 };
	int result;

	if (folder != NULL && *folder == '/') {
		buf_addf(path, "%s/%s", folder, name);
		return 0;
	}
	buf_addf(&below, "%s/%s", standard, name);
	result = config_dir_home_path(buf_str(&below), path, problem);
	buf_free(&below);
	return result;
}

static int
add_config_path(const char *name, struct buf *path, struct buf *problem)
{
	return add_xdg_path("XDG_CONFIG_HOME", ".config", name, path, problem);
}

int
config_dir_file(const char *name, struct buf *path, struct buf *problem)
{
	if (add_config_path(FOLDER "/", path, problem) != 0)
		return -1;
	buf_adds(path, name);
	return 0;
}

int
config_dir_state_file(const char *name, struct buf *path, struct buf *problem)
{
	if (add_xdg_path("XDG_STATE_HOME", ".local/state", FOLDER "/", path,
		    problem) != 0)
		return -1;
	buf_adds(path, name);
	return 0;
}

/* True if the folder has a file that version 0.1 created or read. */
static bool
has_our_file(const char *folder)
{
	static const char *const names[] = { "key", "known_hosts",
		"bridlectl.conf" };
	struct buf path = { 0 };
	bool found = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !found; i++) {
		buf_reset(&path);
		buf_addf(&path, "%s/%s", folder, names[i]);
		found = access(buf_str(&path), F_OK) == 0;
	}
	buf_free(&path);
	return found;
}

int
config_dir_check_old(struct buf *problem)
{
	struct buf path = { 0 }, old = { 0 }, ignored = { 0 };
	int result = 0;

	if (add_config_path(FOLDER, &path, &ignored) == 0 &&
		add_config_path(OLD_FOLDER, &old, &ignored) == 0 &&
		access(buf_str(&path), F_OK) != 0 &&
		has_our_file(buf_str(&old)))
		result = problem_add(problem,
			"your key, known_hosts or bridlectl.conf is still in "
			"the folder of version 0.1; run: mv %s %s",
			buf_str(&old), buf_str(&path));
	buf_free(&path);
	buf_free(&old);
	buf_free(&ignored);
	return result;
}

/*
 * Create the folder. An existing folder must belong to root or to this user.
 * Otherwise root could create files in the home of another user. The other user
 * could not change such files later.
 */
static int
make_folder(const char *folder, struct buf *problem)
{
	struct stat st;

	if (mkdir(folder, 0700) == 0)
		return 0;
	/*
	 * If the folder exists, mkdir(2) may set another errno than EEXIST.
	 * Therefore look for the folder, and do not compare errno with EEXIST.
	 */
	if (access(folder, X_OK) != 0 || stat(folder, &st) != 0)
		return problem_add(problem, "%s: %s", folder, strerror(errno));
	if (st.st_uid == 0 || st.st_uid == geteuid())
		return 0;
	return problem_add(problem,
		"%s belongs to uid %u, but you are uid %u; nothing was "
		"written; set HOME to your own home folder (sudo -H does this)",
		folder, (unsigned)st.st_uid, (unsigned)geteuid());
}

int
config_dir_make(const char *path, struct buf *problem)
{
	char *folder, *slash;
	int result = config_dir_check_old(problem);

	if (result != 0)
		return result;
	slash = folder = strdup(path);
	if (folder == NULL)
		return problem_add(problem, "out of memory");
	while (result == 0 && (slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		result = make_folder(folder, problem);
		*slash = '/';
	}
	free(folder);
	return result;
}
