/*
 * bridled-generator creates an instance of bridled-tcp@.socket for each TCP
 * address in the setting `listen` of the daemon's configuration. The
 * configuration includes the files in conf.d. systemd runs this program as root
 * at the boot and at each daemon-reload. systemd then waits until this program
 * ends; see systemd.generator(7). The program therefore reads only regular
 * files of root, ends within a second, and creates its links last.
 */
#include "buf.h"
#include "conf.h"
#include "conf_files.h"
#include "fd.h"
#include "listen_stream.h"
#include "text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define SECONDS_MAX 1
#define ADDRESSES_MAX 256
#define SETTINGS_FILE SYSCONFDIR "/bridle/bridled.conf"
#define SETTINGS_FOLDER SYSCONFDIR "/bridle/conf.d"
#define UNITS "/systemd/system/"
#define TEMPLATE SYSTEMDUNITDIR "/bridled-tcp@.socket"

/*
 * The folders in which administrators keep units, links to units, and drop-ins.
 */
static const char *const unit_folders[] = { "/etc" UNITS, "/run" UNITS };

struct addresses {
	size_t n;
	/* addresses in the form of listen_stream_format() */
	char *v[ADDRESSES_MAX];
};

/*
 * Write a line to the kernel's log, which the journal reads. A generator has no
 * other way to write to the journal.
 */
static void
report(const char *text)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NONBLOCK);
	struct buf line = { 0 };

	buf_adds(&line, "bridled-generator: ");
	text_safe(&line, text, strlen(text));
	buf_addc(&line, '\n');
	if (!line.failed && (fd == -1 || write(fd, line.data, line.len) == -1))
		fputs(buf_str(&line), stderr);
	fd_close(&fd);
	buf_free(&line);
}

static void
report_lines(struct buf *lines)
{
	char *line, *next = NULL;

	buf_str(lines);
	for (line = lines->failed ? NULL : strtok_r(lines->data, "\n", &next);
		line != NULL; line = strtok_r(NULL, "\n", &next))
		report(line);
}

static bool
contains(const struct addresses *a, const char *address)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i], address) == 0)
			return true;
	return false;
}

/*
 * Add the address to the list, unless the list already has it. Ignore an
 * invalid address, which the daemon reports.
 */
static void
add(struct addresses *a, const char *text)
{
	struct buf address = { 0 };

	if (a->n < ADDRESSES_MAX && listen_stream_format(text, &address) &&
		!contains(a, buf_str(&address)) && !address.failed &&
		(a->v[a->n] = strdup(address.data)) != NULL)
		a->n++;
	buf_free(&address);
}

static void
add_listeners(struct addresses *a, const config_setting_t *listen)
{
	const config_setting_t *entry;
	const char *text;
	unsigned i;

	for (i = 0; listen != NULL &&
		    (entry = config_setting_get_elem(listen, i)) != NULL;
		i++)
		if (config_setting_is_group(entry) &&
			config_setting_lookup_string(entry, "tcp", &text))
			add(a, text);
}

static void
read_file(struct addresses *a, const struct conf_file *file, struct buf *errors)
{
	struct conf conf;

	if (conf_open_text(&conf, file->text, file->name, errors, NULL) == 0)
		add_listeners(a, config_lookup(&conf.config, "listen"));
	conf_close(&conf);
}

/*
 * Read the listeners of all files. After an error in a file, still use the
 * other files, so that clients can connect. The daemon then tells the clients
 * why it does not serve them.
 */
static void
read_configuration(struct addresses *a)
{
	struct buf errors = { 0 };
	struct conf_files files;
	size_t i;

	/*
	 * A missing file is not an error, because the package can be removed,
	 * or not set up yet.
	 */
	if (access(SETTINGS_FILE, F_OK) != 0)
		return;
	conf_files_read(&files, SETTINGS_FILE, SETTINGS_FOLDER, &errors);
	for (i = 0; i < files.n; i++)
		read_file(a, &files.v[i], &errors);
	report_lines(&errors);
	conf_files_free(&files);
	buf_free(&errors);
}

/*
 * If the drop-in `file` has an address in a line "ListenStream=", remove this
 * address from the list. Report that the line is no longer needed.
 */
static void
drop_claimed(struct addresses *a, const char *file, const char *value)
{
	struct buf address = { 0 }, text = { 0 };
	size_t i;

	if (listen_stream_format(value, &address))
		buf_str(&address);
	for (i = 0; address.len > 0 && i < a->n; i++) {
		if (strcmp(a->v[i], address.data) != 0)
			continue;
		buf_addf(&text,
			"%s: ListenStream=%s is no longer needed: remove the "
			"line",
			file, value);
		report(buf_str(&text));
		free(a->v[i]);
		a->v[i] = a->v[--a->n];
	}
	buf_free(&address);
	buf_free(&text);
}

static void
read_drop_in(struct addresses *a, const char *file)
{
	char value[256];
	struct buf text = { 0 }, errors = { 0 };
	char *line, *next = NULL;

	if (conf_read(file, &text, &errors) == 0 && *buf_str(&text) != '\0')
		for (line = strtok_r(text.data, "\n", &next); line != NULL;
			line = strtok_r(NULL, "\n", &next))
			if (sscanf(line, " ListenStream = %255s", value) == 1)
				drop_claimed(a, file, value);
	buf_free(&text);
	buf_free(&errors);
}

/*
 * Remove the addresses that are already in drop-ins of bridled.socket. In
 * version 0.1, the TCP addresses were in such drop-ins.
 */
static void
read_drop_ins(struct addresses *a, const char *folder)
{
	struct buf path = { 0 };
	struct dirent *entry;
	DIR *dir;

	buf_addf(&path, "%sbridled.socket.d", folder);
	dir = path.failed ? NULL : opendir(buf_str(&path));
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 5, ".conf") != 0)
			continue;
		path.len = 0;
		buf_addf(&path, "%sbridled.socket.d/%s", folder, entry->d_name);
		read_drop_in(a, buf_str(&path));
	}
	if (dir != NULL)
		closedir(dir);
	buf_free(&path);
}

/*
 * True if the unit is masked, which means that a folder of `unit_folders` has a
 * link from the unit's name to /dev/null.
 */
static bool
is_masked(const char *unit)
{
	char path[256], target[16];
	ssize_t n;
	size_t i;

	for (i = 0; i < sizeof(unit_folders) / sizeof(*unit_folders); i++) {
		snprintf(path, sizeof(path), "%s%s", unit_folders[i], unit);
		n = readlink(path, target, sizeof(target));
		if (n == 9 && memcmp(target, "/dev/null", 9) == 0)
			return true;
	}
	return false;
}

/* Create the link FOLDER/UNIT.wants/bridled-tcp@INSTANCE.socket. */
static void
link_unit(const char *folder, const char *unit, const char *instance)
{
	struct buf path = { 0 };

	buf_addf(&path, "%s/%s.wants", folder, unit);
	mkdir(buf_str(&path), 0755);
	buf_addf(&path, "/bridled-tcp@%s.socket", instance);
	if (!path.failed && symlink(TEMPLATE, buf_str(&path)) != 0 &&
		errno != EEXIST) {
		buf_addf(&path, ": %s", strerror(errno));
		report(buf_str(&path));
	}
	buf_free(&path);
}

static void
link_all(const struct addresses *a, const char *folder)
{
	struct buf name = { 0 };
	size_t i;

	for (i = 0; i < a->n; i++) {
		name.len = 0;
		unit_name_escape(a->v[i], &name);
		link_unit(folder, "bridled.service", buf_str(&name));
		link_unit(folder, "bridled.socket", buf_str(&name));
	}
	buf_free(&name);
}

int
main(int argc, char **argv)
{
	struct addresses addresses = { 0 };
	size_t i;

	if (argc != 2 && argc != 4) {
		fputs("usage: bridled-generator NORMAL [EARLY LATE]\n"
		      "systemd runs this: see bridled(8)\n",
			stderr);
		return EX_USAGE;
	}
	alarm(SECONDS_MAX);
	umask(022);
	/*
	 * If bridled.socket is masked, the daemon opens the sockets itself, so
	 * no links are needed.
	 */
	if (is_masked("bridled.socket"))
		return 0;
	read_configuration(&addresses);
	for (i = 0; i < sizeof(unit_folders) / sizeof(*unit_folders); i++)
		read_drop_ins(&addresses, unit_folders[i]);
	link_all(&addresses, argv[1]);
	for (i = 0; i < addresses.n; i++)
		free(addresses.v[i]);
	return 0;
}
