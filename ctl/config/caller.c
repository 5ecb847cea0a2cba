#include "config/caller.h"

#include "config/run_bridled.h"
#include "fd.h"
#include "text.h"

#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static uid_t
find_uid(void)
{
	const char *sudo = getuid() == 0 ? getenv("SUDO_UID") : NULL;
	long uid;

	if (sudo != NULL && text_number(sudo, 0, UINT32_MAX - 1L, &uid) == 0)
		return (uid_t)uid;
	return getuid();
}

void
caller_find(struct caller *c)
{
	const struct passwd *pw;

	c->uid = find_uid();
	c->name = (struct buf){ 0 };
	if ((pw = getpwuid(c->uid)) != NULL)
		buf_adds(&c->name, pw->pw_name);
	else
		buf_addf(&c->name, "%u", c->uid);
	buf_str(&c->name);
}

void
caller_free(struct caller *c)
{
	buf_free(&c->name);
}

static bool
had_access(const struct caller *c, const char *file, const char *copy)
{
	const char *args[] = { "--check", copy, "--in-place-of", file,
		"--access", c->name.data, NULL };
	struct buf out = { 0 }, errors = { 0 };
	int status = run_bridled(args, &out, &errors);

	buf_free(&out);
	buf_free(&errors);
	return status != EX_NOPERM;
}

bool
caller_had_access(
	const struct caller *c, const char *file, const char *settings)
{
	/*
	 * Make a new folder for the file. bridled reads files only in folders
	 * that only trusted users can write.
	 */
	char folder[] = "/tmp/bridlectl-XXXXXX";
	struct buf path = { 0 };
	bool had = true;
	int fd = -1;

	if (mkdtemp(folder) == NULL)
		return true;
	buf_addf(&path, "%s/settings", folder);
	fd = open(
		buf_str(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd != -1 && fd_write_all(fd, settings, strlen(settings)) == 0)
		had = had_access(c, file, path.data);
	fd_close(&fd);
	unlink(buf_str(&path));
	rmdir(folder);
	buf_free(&path);
	return had;
}
