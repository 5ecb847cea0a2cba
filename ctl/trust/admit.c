#include "trust/admit.h"

#include "conf.h"
#include "config/config_apply.h"
#include "config/config_changes.h"
#include "config/config_lock.h"
#include "config/config_outline.h"
#include "config/run_bridled.h"
#include "fd.h"
#include "net.h"
#include "trust/admit_entry.h"
#include "util/installed.h"
#include "util/message.h"
#include "util/write_out.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "conf.d"

const char *const admit_state_names[] = { "created", "changed", "unchanged" };

/* One admission, with the configuration before the change and the new texts. */
struct work {
	const struct admit *a;
	char *file; /* path of bridled.conf, with symbolic links resolved */
	struct admitted *result;
	struct config_outline outline;
	const struct outline_client *present; /* the client's entry, or NULL */
	/* path of the client's file in conf.d */
	struct buf path;
	struct buf text;        /* new text of the client's file */
	struct buf listen_path; /* file for a new listener, or empty */
	struct buf listen_text;
	int lock;
};

/* Append the path of a file in conf.d. `file` is an absolute path. */
static void
add_path(const char *file, const char *name, struct buf *path)
{
	buf_addf(path, "%.*s/" FOLDER "/%s.conf",
		(int)(strrchr(file, '/') - file), file, name);
}

/*
 * Prepare the work. Resolve the path of the configuration. Unless the admission
 * is a dry run, take the lock of the configuration. Returns 0, or -1 after
 * printing a message.
 */
static int
begin(struct work *w)
{
	w->lock = -1;
	w->file = realpath(w->a->file, NULL);
	if (w->file == NULL) {
		installed_explain(w->a->file);
		if (w->result != NULL)
			w->result->no_program = !installed_bridled();
		return -1;
	}
	add_path(w->file, w->a->name, &w->path);
	if (w->a->dry_run)
		return 0;
	w->lock = config_lock(w->file);
	return w->lock != -1 ? 0 : -1;
}

/*
 * Read the fingerprint of the host key. If the host has no key, bridled creates
 * the key. Returns 0, or -1 after printing a message.
 */
static int
read_fingerprint(const struct work *w)
{
	const char *args[] = { "--fingerprint", w->file, NULL };
	struct admitted *result = w->result;
	struct buf out = { 0 }, err = { 0 };
	int status = run_bridled(args, &out, &err);
	const char *text = buf_str(&out);
	size_t len = strcspn(text, "\n");
	int done = -1;

	if (status == 0 && len == TLS_FINGERPRINT_SIZE - 1) {
		memcpy(result->fingerprint, text, len);
		result->fingerprint[len] = '\0';
		done = 0;
	} else if (status != RUN_BRIDLED_FAILED) {
		write_out_buf(STDERR_FILENO, &err);
		message_print("bridled cannot show the host key%s",
			geteuid() != 0 ? INSTALLED_AS_ROOT : "");
	}
	buf_free(&out);
	buf_free(&err);
	return done;
}

/* Print that nothing is changed because of the entry `c`. Return -1. */
static int
refuse(const struct outline_client *c, const char *why)
{
	message_print("%s:%s: the entry '%s' %s; nothing was changed", c->file,
		c->line, c->name, why);
	return -1;
}

/*
 * True if the entry is read before the client's file. The main file is read
 * first, then the files of conf.d in the order of their names.
 */
static bool
is_earlier(struct work *w, const struct outline_client *c)
{
	return strcmp(c->file, w->file) == 0 ||
	       strcmp(c->file, buf_str(&w->path)) < 0;
}

/* True if the entry is in the file of its client, as admit_run() writes it. */
static bool
is_admitted(const struct work *w, const struct outline_client *c)
{
	struct buf path = { 0 };
	bool same;

	add_path(w->file, c->name, &path);
	same = strcmp(c->file, buf_str(&path)) == 0;
	buf_free(&path);
	return same;
}

/*
 * Check that no other entry has the key, because bridled uses only the first
 * entry with a key. Returns 0, or -1 after printing a message.
 */
static int
check_others(struct work *w)
{
	const struct outline_client *c = w->outline.clients;
	const struct outline_client *end = c + w->outline.nclients;

	for (; c < end; c++) {
		if (c == w->present ||
			!config_outline_has_key(c->keys, w->a->key))
			continue;
		refuse(c, is_earlier(w, c)
				  ? "comes first and decides about this key"
				  : "has this key");
		if (is_admitted(w, c))
			message_print("use --name %s, or 'bridlectl revoke %s' "
				      "on the host first",
				c->name, c->name);
		return -1;
	}
	return 0;
}

/*
 * Check that the mode fits the present entry. Returns 0, or -1 after printing a
 * message.
 */
static int
check_present(struct work *w)
{
	const struct admit *a = w->a;
	bool same = w->present != NULL &&
		    config_outline_has_key(w->present->keys, a->key);

	if (w->present == NULL) {
		if (a->mode != ADMIT_ADD_KEY && a->mode != ADMIT_DROP_OLD)
			return 0;
		message_print("there is no client '%s' yet: leave out "
			      "--%s, and give --allow",
			a->name,
			a->mode == ADMIT_ADD_KEY ? "add-key" : "drop-old");
		return -1;
	}
	if (strcmp(w->present->file, buf_str(&w->path)) != 0)
		return refuse(w->present,
			"has this name: choose another --name, or change that "
			"entry with 'bridlectl config edit'");
	if (strcmp(w->present->keys, "-") == 0)
		return refuse(w->present, "has no key");
	if (a->mode == ADMIT_ENTRY && !same)
		return refuse(w->present,
			"has another key: use --add-key to allow both keys, or "
			"--replace to end the access of the other key");
	if (a->mode == ADMIT_DROP_OLD && !same)
		return refuse(w->present,
			"does not have this key: use --add-key first");
	if (a->mode == ADMIT_ADD_KEY && !same &&
		strchr(w->present->keys, ',') != NULL)
		return refuse(w->present,
			"already has two keys: use --drop-old with the key "
			"that you want to keep");
	return 0;
}

/* Return the number of entries of `clients` and `listen` in the file. */
static size_t
count_entries(const struct config_outline *o, const char *file)
{
	size_t i, n = 0;

	for (i = 0; i < o->nclients; i++)
		n += strcmp(o->clients[i].file, file) == 0;
	for (i = 0; i < o->nlisteners; i++)
		n += strcmp(o->listeners[i].file, file) == 0;
	return n;
}

/* Append the keys of the changed entry, separated by commas. */
static void
add_keys(const struct work *w, struct buf *keys)
{
	bool same = config_outline_has_key(w->present->keys, w->a->key);

	if (w->a->mode == ADMIT_DROP_OLD)
		buf_adds(keys, w->a->key);
	else if (same)
		buf_adds(keys, w->present->keys);
	else
		buf_addf(keys, "%s,%s", w->present->keys, w->a->key);
}

/* Make the new text of the client's file. Returns 0, or -1 after a message. */
static int
make_text(struct work *w)
{
	struct buf keys = { 0 };
	int result;

	if (w->present == NULL)
		return admit_entry_new(w->a, &w->text);
	if (w->a->mode == ADMIT_REPLACE) {
		if (count_entries(&w->outline, buf_str(&w->path)) > 1)
			return refuse(w->present,
				"is not alone in its file: edit the file");
		return admit_entry_new(w->a, &w->text);
	}
	add_keys(w, &keys);
	result = admit_entry_edit(
		w->a, buf_str(&w->path), buf_str(&keys), &w->text);
	buf_free(&keys);
	return result;
}

/*
 * Append the name of the file for a new listener. A name that begins with a
 * digit cannot be the name of a client.
 */
static void
add_listen_name(const char *address, struct buf *name)
{
	const char *port = strrchr(address, ':') + 1;

	buf_adds(name, "00-listen-");
	if (strncmp(address, "[::]:", 5) == 0) {
		buf_adds(name, "any");
	} else {
		for (; address < port - 1; address++)
			if (*address != '[' && *address != ']')
				buf_addc(
					name, *address == ':' ? '_' : *address);
	}
	buf_addf(name, "-%s", port);
}

/*
 * Find the listener of --listen in the configuration. Return 1 if the listener
 * exists, 0 if not, or -1 after printing a message.
 */
static int
find_listener(const struct work *w, const struct net_addr *wanted)
{
	const struct outline_listener *l = w->outline.listeners;
	const struct outline_listener *end = l + w->outline.nlisteners;
	struct net_addr addr;

	for (; l < end; l++) {
		if (net_parse(l->address, &addr) != 0)
			continue;
		net_unmap(&addr);
		if (!net_same(&addr, wanted))
			continue;
		if (l->tls)
			return 1;
		message_print("%s:%s: the listener %s does not use TLS; "
			      "nothing was changed",
			l->file, l->line, l->address);
		return -1;
	}
	return 0;
}

/* Append the addresses of all TLS listeners of the configuration. */
static void
list_listeners(struct work *w)
{
	size_t i;

	for (i = 0; i < w->outline.nlisteners; i++)
		if (w->outline.listeners[i].tls)
			buf_addf(&w->result->listeners, "%s\n",
				w->outline.listeners[i].address);
}

/*
 * Make the text for the listener of --listen. Without --listen, check that
 * there is a TLS listener. Returns 0, or -1 after printing a message.
 */
static int
make_listener(struct work *w)
{
	const char *listen = w->a->listen;
	struct buf name = { 0 };
	struct net_addr addr;
	int found;

	list_listeners(w);
	if (listen == NULL) {
		if (w->result->listeners.len > 0)
			return 0;
		message_print("no listener of this host uses TLS, so clients "
			      "cannot use a key; to open a listener for all "
			      "networks, add --listen '[::]:7075'");
		return -1;
	}
	net_parse(listen, &addr);
	net_unmap(&addr);
	if ((found = find_listener(w, &addr)) != 0)
		return found > 0 ? 0 : -1;
	add_listen_name(listen, &name);
	add_path(w->file, buf_str(&name), &w->listen_path);
	buf_free(&name);
	buf_addf(&w->listen_text,
		"# Written by bridlectl. Clients use this listener with keys.\n"
		"listen = ( { tcp = \"%s\"; tls = true; } );\n",
		listen);
	buf_addf(&w->result->listeners, "%s\n", listen);
	return 0;
}

/* True if the client's file has the new text already. */
static bool
is_same_text(struct work *w)
{
	struct buf before = { 0 }, errors = { 0 };
	bool same = w->present != NULL &&
		    conf_read(buf_str(&w->path), &before, &errors) == 0 &&
		    strcmp(buf_str(&before), buf_str(&w->text)) == 0;

	buf_free(&before);
	buf_free(&errors);
	return same;
}

/* Prepare the admission. Returns 0, or -1 after printing a message. */
static int
plan(struct work *w)
{
	if (config_outline_read(&w->outline, w->file, &w->result->no_program) !=
		0)
		return -1;
	w->present = config_outline_client(&w->outline, w->a->name);
	if (check_others(w) != 0 || check_present(w) != 0 ||
		make_text(w) != 0 || make_listener(w) != 0)
		return -1;
	w->result->state = w->present == NULL ? ADMIT_CREATED
			   : is_same_text(w)  ? ADMIT_UNCHANGED
					      : ADMIT_CHANGED;
	return 0;
}

static void
describe(struct work *w)
{
	struct buf *out = &w->result->plan;

	if (w->listen_path.len > 0)
		buf_addf(out, "would open a TLS listener by %s:\n%s",
			buf_str(&w->listen_path), buf_str(&w->listen_text));
	if (w->result->state == ADMIT_UNCHANGED)
		buf_addf(out, "%s would stay as it is:\n%s", buf_str(&w->path),
			buf_str(&w->text));
	else
		buf_addf(out, "would write %s:\n%s", buf_str(&w->path),
			buf_str(&w->text));
}

static enum outcome
apply(struct work *w)
{
	struct config_changes changes = { 0 };
	struct config_apply apply = {
		.file = w->file, .changes = &changes, .locked = true
	};
	enum outcome outcome = OUTCOME_NO;
	int result = 0;

	if (w->listen_path.len > 0)
		result =
			config_changes_write(&changes, buf_str(&w->listen_path),
				w->listen_text.data, w->listen_text.len);
	if (result == 0 && w->result->state != ADMIT_UNCHANGED)
		result = config_changes_write(
			&changes, buf_str(&w->path), w->text.data, w->text.len);
	/*
	 * Apply the configuration even if the file is unchanged. An earlier
	 * admission may have been interrupted before the daemon had read the
	 * files.
	 */
	if (result == 0)
		outcome = config_apply(&apply);
	else
		config_changes_undo(&changes, false);
	config_changes_free(&changes);
	return outcome;
}

static void
free_work(struct work *w)
{
	fd_close(&w->lock);
	free(w->file);
	config_outline_free(&w->outline);
	buf_free(&w->path);
	buf_free(&w->text);
	buf_free(&w->listen_path);
	buf_free(&w->listen_text);
}

void
admit_ignore_signals(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
}

enum outcome
admit_run(const struct admit *a, struct admitted *result)
{
	struct work w = { .a = a, .result = result };
	enum outcome outcome = OUTCOME_NO;

	memset(result, 0, sizeof(*result));
	if (begin(&w) == 0 && plan(&w) == 0) {
		if (a->dry_run) {
			describe(&w);
			outcome = OUTCOME_DONE;
		} else if (read_fingerprint(&w) == 0) {
			outcome = apply(&w);
		}
	}
	free_work(&w);
	return outcome;
}

void
admitted_free(struct admitted *r)
{
	buf_free(&r->listeners);
	buf_free(&r->plan);
}

static enum outcome
remove_entry(const struct work *w, const char *path)
{
	struct config_changes changes = { 0 };
	struct config_apply apply = {
		.file = w->file, .changes = &changes, .locked = true
	};
	enum outcome outcome = OUTCOME_NO;

	if (config_changes_write(&changes, path, NULL, 0) == 0)
		outcome = config_apply(&apply);
	config_changes_free(&changes);
	if (outcome == OUTCOME_DONE)
		message_print("the access of '%s' has ended; %s is removed",
			w->a->name, path);
	return outcome;
}

static enum outcome
end_access(struct work *w)
{
	const struct outline_client *c;

	if (config_outline_read(&w->outline, w->file, NULL) != 0)
		return OUTCOME_NO;
	c = config_outline_client(&w->outline, w->a->name);
	if (c == NULL) {
		message_print("there is no client '%s'", w->a->name);
	} else if (strcmp(c->file, buf_str(&w->path)) != 0) {
		refuse(c, "was not written by 'bridlectl admit': remove the "
			  "entry with 'bridlectl config edit'");
	} else if (count_entries(&w->outline, c->file) > 1) {
		refuse(c, "is not alone in its file: remove the entry with an "
			  "editor, then run 'bridlectl config apply'");
	} else if (w->a->dry_run) {
		message_print("would remove %s", c->file);
		return OUTCOME_DONE;
	} else {
		return remove_entry(w, c->file);
	}
	return OUTCOME_NO;
}

enum outcome
admit_revoke(const char *file, const char *name, bool dry_run)
{
	const struct admit a = {
		.file = file, .name = name, .dry_run = dry_run
	};
	struct work w = { .a = &a };
	enum outcome outcome = OUTCOME_NO;

	if (begin(&w) == 0)
		outcome = end_access(&w);
	free_work(&w);
	return outcome;
}
