#include "trusted.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whether only root and we may change it; if not, says so and what to do. */
static bool
check_stat(const char *path, const struct stat *st, struct buf *why)
{
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		buf_addf(why,
			"%s belongs to uid %u, which could change it: "
			"chown root %s",
			path, (unsigned)st->st_uid, path);
		return false;
	}
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
		(S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX)))
		return true;
	buf_addf(why, "%s may be written by others: chmod go-w %s", path, path);
	return false;
}

static bool
check_folders(const char *folder, struct buf *why)
{
	char *path = realpath(folder, NULL);
	struct stat st;
	bool good;

	do {
		if (path == NULL || stat(path, &st) != 0) {
			buf_addf(why, "%s: %s", path ? path : folder,
				strerror(errno));
			good = false;
			break;
		}
		good = check_stat(path, &st, why);
	} while (good && strcmp(path, "/") != 0 && dirname(path) == path);
	free(path);
	return good;
}

/* The folders above the path as it is named, and above what it leads to. */
static bool
check_above(const char *path, struct buf *why)
{
	char *named = strdup(path), *real = realpath(path, NULL);
	bool good = false;

	if (named == NULL || real == NULL)
		buf_addf(why, "%s: %s", path, strerror(errno));
	else
		good = check_folders(dirname(named), why) &&
		       check_folders(dirname(real), why);
	free(real);
	free(named);
	return good;
}

bool
trusted_file(const char *path, const struct stat *st, struct buf *why)
{
	return check_stat(path, st, why) && check_above(path, why);
}

bool
trusted_path(const char *path, struct buf *why)
{
	struct stat st;

	if (stat(path, &st) != 0) {
		buf_addf(why, "%s: %s", path, strerror(errno));
		return false;
	}
	return trusted_file(path, &st, why);
}
