#include "config/announce.h"

#include "buf.h"
#include "conf.h"
#include "config/run_bridled.h"
#include "fd.h"
#include "net.h"
#include "tls.h"
#include "util/installed.h"
#include "util/message.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* avahi-daemon has these paths on each distribution. */
#define FOLDER "/etc/avahi/services"
#define FILE_NAME FOLDER "/bridle.service"
#define PID_FILE "/run/avahi-daemon/pid"
#define FILE_SIZE_MAX 65536
/* The text that shows that bridlectl has written a service file. */
#define MARK "<!-- Written by 'bridlectl announce on'."
/* Longest name of a service in bytes; avahi-daemon ignores longer names. */
#define SERVICE_NAME_MAX 63

struct announcement {
	unsigned port;
	const char *protocol; /* value of `protocol` in the service file */
	char fingerprint[TLS_FINGERPRINT_SIZE];
};

enum found { FOUND, FOUND_NONE, FOUND_ERROR };

/*
 * Set the port and the protocol from an entry of `listen`. Return false if the
 * entry is not a TLS listener, or is open on the loopback interface only.
 */
static bool
take_listener(const config_setting_t *entry, struct announcement *a)
{
	struct net_addr addr;
	const char *text;
	int tls = 0;

	if (!config_setting_is_group(entry) ||
		!config_setting_lookup_string(entry, "tcp", &text) ||
		!config_setting_lookup_bool(entry, "tls", &tls) || !tls ||
		net_parse(text, &addr) != 0 || net_is_loopback(&addr))
		return false;
	if (addr.sa.sa_family == AF_INET) {
		a->port = ntohs(addr.in.sin_port);
		a->protocol = "ipv4";
	} else {
		a->port = ntohs(addr.in6.sin6_port);
		a->protocol = IN6_IS_ADDR_UNSPECIFIED(&addr.in6.sin6_addr)
				      ? "any"
				      : "ipv6";
	}
	return true;
}

/* Look for the listener in the output of bridled --show or --effective. */
static enum found
find_listener(const char *settings, struct announcement *a)
{
	struct buf errors = { 0 };
	const config_setting_t *list, *entry;
	enum found found = FOUND_ERROR;
	struct conf conf;
	unsigned i;

	if (conf_open_text(&conf, settings, "bridled --show", &errors, NULL) ==
		0) {
		found = FOUND_NONE;
		list = config_lookup(&conf.config, "listen");
		for (i = 0; found == FOUND_NONE && list != NULL &&
			    (entry = config_setting_get_elem(list, i)) != NULL;
			i++)
			if (take_listener(entry, a))
				found = FOUND;
	} else {
		message_lines(NULL, buf_str(&errors));
	}
	conf_close(&conf);
	buf_free(&errors);
	return found;
}

static int
find_fingerprint(const char *config, struct announcement *a)
{
	const char *args[] = { "--fingerprint", config, NULL };
	struct buf out = { 0 };
	int result = -1;

	if (run_bridled(args, &out, NULL) == 0 &&
		out.len == TLS_FINGERPRINT_SIZE && !out.failed) {
		out.data[--out.len] = '\0';
		memcpy(a->fingerprint, out.data, TLS_FINGERPRINT_SIZE);
		result = tls_fingerprint_valid(a->fingerprint) ? 0 : -1;
	}
	if (result != 0)
		message_print("the host key has no fingerprint");
	buf_free(&out);
	return result;
}

/*
 * Find the values to announce. For FOUND_NONE, no message is printed. For
 * FOUND_ERROR, a message is printed.
 */
static enum found
find(const char *config, struct announcement *a)
{
	const char *args[] = { "--show", config, NULL };
	struct buf text = { 0 }, ignored = { 0 };
	enum found found = FOUND_ERROR;

	if (config_effective(config, NULL, &text, &ignored)) {
		found = find_listener(buf_str(&text), a);
	} else {
		buf_reset(&text);
		if (run_bridled(args, &text, NULL) == 0)
			found = find_listener(buf_str(&text), a);
	}
	if (found == FOUND && find_fingerprint(config, a) != 0)
		found = FOUND_ERROR;
	buf_free(&text);
	buf_free(&ignored);
	return found;
}

/*
 * True if "Bridle on " and the name of this machine together are not longer
 * than SERVICE_NAME_MAX.
 */
static bool
fits_name(void)
{
	char host[HOST_NAME_MAX + 1] = "";

	gethostname(host, sizeof(host) - 1);
	return strlen("Bridle on ") + strcspn(host, ".") <= SERVICE_NAME_MAX;
}

static void
format(struct buf *out, const struct announcement *a)
{
	buf_addf(out,
		"<?xml version=\"1.0\" standalone=\"no\"?>\n"
		"<!DOCTYPE service-group SYSTEM \"avahi-service.dtd\">\n" MARK
		"\n     'bridlectl announce off' removes this file. -->\n"
		"<service-group>\n"
		"  <name replace-wildcards=\"yes\">%s%%h</name>\n"
		"  <service protocol=\"%s\">\n"
		"    <type>_bridle._tcp</type>\n"
		"    <port>%u</port>\n"
		"    <txt-record>v=1</txt-record>\n"
		"    <txt-record>fp=%s</txt-record>\n"
		"  </service>\n"
		"</service-group>\n",
		fits_name() ? "Bridle on " : "", a->protocol, a->port,
		a->fingerprint);
}

static enum outcome
fail(const char *path)
{
	message_print("%s: %s%s", path, strerror(errno),
		geteuid() != 0 ? " (run this as root, for example with sudo)"
			       : "");
	return OUTCOME_NO;
}

/*
 * Write the service file. avahi-daemon reads only files with the suffix
 * ".service". Therefore avahi-daemon ignores the new file until rename(2).
 */
static int
write_file(struct buf *text)
{
	char path[] = FILE_NAME ".XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC), result = -1;

	if (fd == -1) {
		fail(FOLDER);
		return -1;
	}
	buf_str(text);
	if (text->failed)
		errno = ENOMEM;
	else if (fchmod(fd, 0644) == 0 &&
		 fd_write_all(fd, text->data, text->len) == 0 &&
		 fsync(fd) == 0 && rename(path, FILE_NAME) == 0)
		result = 0;
	if (result != 0) {
		fail(FILE_NAME);
		unlink(path);
	}
	fd_close(&fd);
	return result;
}

/*
 * Return the text of the service file, or NULL with errno. The caller frees the
 * text.
 */
static char *
read_file(void)
{
	int fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	size_t len;

	if (fd != -1)
		text = fd_read_all(fd, FILE_SIZE_MAX, &len);
	fd_close(&fd);
	return text;
}

/*
 * True if another program or the administrator has written the service file. In
 * this case print a message.
 */
static bool
is_foreign(void)
{
	char *text = read_file();
	bool foreign =
		text != NULL ? strstr(text, MARK) == NULL : errno != ENOENT;

	free(text);
	if (foreign)
		message_print(FILE_NAME " is not from bridlectl: remove or "
					"rename this file first");
	return foreign;
}

/* True if Avahi is installed, and this user may write to its folder. */
static bool
can_write(void)
{
	if (access(FOLDER, W_OK) == 0)
		return true;
	if (errno == ENOENT || errno == ENOTDIR)
		message_print(FOLDER " does not exist: install the package "
				     "avahi-daemon");
	else
		fail(FOLDER);
	return false;
}

enum outcome
announce_on(const char *config)
{
	struct announcement a;
	struct buf text = { 0 };
	enum outcome outcome = OUTCOME_NO;

	if (strcmp(config, INSTALLED_CONFIG) == 0 && !installed_bridled()) {
		errno = ENOENT;
		installed_explain(config);
		return OUTCOME_NO;
	}
	if (!can_write() || is_foreign())
		return OUTCOME_NO;
	switch (find(config, &a)) {
	case FOUND:
		format(&text, &a);
		if (write_file(&text) != 0)
			break;
		outcome = OUTCOME_DONE;
		message_print("this machine is announced: port %u, key %s",
			a.port, a.fingerprint);
		if (access(PID_FILE, F_OK) != 0)
			message_print("avahi-daemon does not run: start it "
				      "with 'systemctl enable --now "
				      "avahi-daemon'");
		break;
	case FOUND_NONE:
		message_print("there is no TLS listener for other machines: "
			      "add { tcp = \"[::]:7075\"; tls = true; } to "
			      "listen with 'bridlectl config edit'");
		break;
	case FOUND_ERROR:
		break;
	}
	buf_free(&text);
	return outcome;
}

enum outcome
announce_off(void)
{
	if (access(FILE_NAME, F_OK) != 0 && errno == ENOENT) {
		message_print("this machine was not announced");
		return OUTCOME_DONE;
	}
	if (is_foreign())
		return OUTCOME_NO;
	if (unlink(FILE_NAME) != 0)
		return fail(FILE_NAME);
	message_print("this machine is no longer announced");
	return OUTCOME_DONE;
}

static int
refresh(const char *config, const char *before)
{
	struct announcement a;
	struct buf text = { 0 };
	int result = -1;

	switch (find(config, &a)) {
	case FOUND:
		format(&text, &a);
		result = 0;
		if (strcmp(buf_str(&text), before) == 0)
			break;
		result = write_file(&text);
		if (result == 0)
			message_print("the announcement is changed: port %u, "
				      "key %s",
				a.port, a.fingerprint);
		break;
	case FOUND_NONE:
		result = unlink(FILE_NAME);
		if (result == 0)
			message_print("the machine is no longer announced, "
				      "because it has no TLS listener");
		else
			fail(FILE_NAME);
		break;
	case FOUND_ERROR:
		break;
	}
	buf_free(&text);
	return result;
}

int
announce_refresh(const char *config)
{
	char *before = read_file();
	int result = 0;

	if (before != NULL && strstr(before, MARK) != NULL)
		result = refresh(config, before);
	free(before);
	return result;
}
