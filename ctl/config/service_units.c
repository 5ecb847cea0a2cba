#include "config/service_units.h"

#include "clock.h"
#include "util/program.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE "bridled.service"
#define SOCKET "bridled.socket"
#define ROOT_SOCKET "bridled-root.socket"
#define TEMPLATE "bridled-tcp@"
/*
 * Time limit of a call of systemctl(1), in ms. A restart first waits until the
 * running requests end (stop_seconds), and then until the daemon has started.
 * systemd limits both times.
 */
#define SYSTEMCTL_MS 180000
#define UNITS_MAX 512 /* maximum number of words of a systemctl(1) command */

/*
 * The words of a command. The last pointer is NULL. The struct does not own the
 * words.
 */
struct words {
	size_t n;
	const char *v[UNITS_MAX + 1];
};

static void
add(struct words *w, const char *word)
{
	if (w->n < UNITS_MAX)
		w->v[w->n++] = word;
}

static bool
contains(const struct words *w, const char *word)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (strcmp(w->v[i], word) == 0)
			return true;
	return false;
}

/*
 * Split the text into words. Add each word that names the unit of a TCP address
 * to `out`. The function changes the text.
 */
static void
split(struct buf *text, struct words *out)
{
	char *word, *next = NULL;

	if (text->len == 0 || *buf_str(text) == '\0')
		return;
	for (word = strtok_r(text->data, " \n", &next); word != NULL;
		word = strtok_r(NULL, " \n", &next))
		if (strncmp(word, TEMPLATE, strlen(TEMPLATE)) == 0)
			add(out, word);
}

static int
systemctl(const struct words *w, struct buf *out, struct buf *err)
{
	return program_run(w->v, clock_ms() + SYSTEMCTL_MS, out, err);
}

/*
 * Append the value of a property of a unit. Return false if systemctl fails.
 */
static bool
show(const char *unit, const char *property, struct buf *value)
{
	struct words w = { 6,
		{ "systemctl", "show", "--value", "-p", property, unit } };
	int status = systemctl(&w, value, NULL);

	while (value->len > 0 && value->data[value->len - 1] == '\n')
		value->len--;
	return status == 0 && !value->failed;
}

static bool
is(const char *unit, const char *property, const char *wanted)
{
	struct buf value = { 0 };
	bool same = show(unit, property, &value) &&
		    strcmp(buf_str(&value), wanted) == 0;

	buf_free(&value);
	return same;
}

static void
find_user(struct service_units *u)
{
	struct buf name = { 0 };
	const struct passwd *pw = NULL;

	if (show(SERVICE, "User", &name) && name.len > 0)
		pw = getpwnam(buf_str(&name));
	if (pw != NULL) {
		u->uid = pw->pw_uid;
		u->gid = pw->pw_gid;
		snprintf(u->user, sizeof(u->user), "%s", pw->pw_name);
	}
	buf_free(&name);
}

/*
 * Return the path of the unix socket of the unit. If the unit is not active or
 * has no unix socket, return NULL. The property Listen has the form "PATH
 * (Stream)".
 */
static char *
find_socket(const char *unit)
{
	struct buf listen = { 0 };
	char *path = NULL;
	const char *text;

	if (is(unit, "ActiveState", "active") &&
		show(unit, "Listen", &listen)) {
		text = buf_str(&listen);
		if (*text == '/')
			path = strndup(text, strcspn(text, " \n"));
	}
	buf_free(&listen);
	return path;
}

static void
find_sockets(struct service_units *u)
{
	size_t n = 0;

	if ((u->sockets[n] = find_socket(SOCKET)) != NULL)
		n++;
	u->sockets[n] = find_socket(ROOT_SOCKET);
}

bool
service_units_look(struct service_units *u)
{
	memset(u, 0, sizeof(*u));
	if (access("/run/systemd/system", F_OK) != 0 ||
		!is(SOCKET, "LoadState", "loaded") ||
		!is(SOCKET, "ActiveState", "active"))
		return false;
	u->running = !is(SERVICE, "ActiveState", "inactive") &&
		     !is(SERVICE, "ActiveState", "failed");
	find_user(u);
	find_sockets(u);
	return true;
}

void
service_units_free(struct service_units *u)
{
	size_t i;

	for (i = 0; u->sockets[i] != NULL; i++) {
		free(u->sockets[i]);
		u->sockets[i] = NULL;
	}
}

/*
 * The units of TCP addresses. `wanted` has the units that the generator or an
 * administrator has enabled. `open` has the units that are open now. The words
 * of both lists point into the two buffers.
 */
struct tcp_units {
	struct buf wanted_text, open_text;
	struct words wanted, open;
};

static int
find_units(struct tcp_units *t, struct buf *problem)
{
	struct words reload = { 2, { "systemctl", "daemon-reload" } };
	struct words wanted = { 4,
		{ "systemctl", "list-dependencies", "--plain", SERVICE } };
	struct words open = { 6,
		{ "systemctl", "list-units", "--plain", "--no-legend",
			"--state=active", TEMPLATE "*.socket" } };

	if (systemctl(&reload, problem, problem) != 0 ||
		systemctl(&wanted, &t->wanted_text, problem) != 0 ||
		systemctl(&open, &t->open_text, problem) != 0)
		return -1;
	split(&t->wanted_text, &t->wanted);
	split(&t->open_text, &t->open);
	return t->wanted_text.failed || t->open_text.failed ? -1 : 0;
}

/* Add to `to` the units of `from` that are not in `without`. */
static void
subtract(
	struct words *to, const struct words *from, const struct words *without)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		if (!contains(without, from->v[i]))
			add(to, from->v[i]);
}

int
service_units_restart(struct buf *problem)
{
	struct words w = { 3, { "systemctl", "restart", SERVICE } };

	return systemctl(&w, problem, problem) == 0 ? 0 : -1;
}

/*
 * Close and open addresses. systemd cannot open a new socket while the service
 * of this socket runs. The service wants the new sockets. Therefore a restart
 * of the service opens the new sockets after the service has stopped. A second
 * job for a socket could come after the start of the service, and would fail.
 */
static enum service_change
change(const struct service_units *u, const struct tcp_units *t,
	struct buf *problem)
{
	struct words stop = { 2, { "systemctl", "stop" } };
	struct words start = { 2, { "systemctl", "start" } };

	subtract(&stop, &t->open, &t->wanted);
	subtract(&start, &t->wanted, &t->open);
	if (stop.n == 2 && start.n == 2)
		return SERVICE_SAME;
	if (stop.n > 2 && systemctl(&stop, problem, problem) != 0)
		return SERVICE_FAILED;
	if (u->running)
		return service_units_restart(problem) == 0 ? SERVICE_CHANGED
							   : SERVICE_FAILED;
	if (start.n > 2 && systemctl(&start, problem, problem) != 0)
		return SERVICE_FAILED;
	return SERVICE_CHANGED;
}

enum service_change
service_units_apply(const struct service_units *u, struct buf *problem)
{
	struct tcp_units *t = calloc(1, sizeof(*t));
	enum service_change result = SERVICE_FAILED;

	if (t != NULL && find_units(t, problem) == 0)
		result = change(u, t, problem);
	if (t != NULL) {
		buf_free(&t->wanted_text);
		buf_free(&t->open_text);
	}
	free(t);
	return result;
}
