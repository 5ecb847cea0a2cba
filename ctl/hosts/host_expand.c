#include "hosts/host_expand.h"

#include "hosts/host_set.h"
#include "hosts/hostlist.h"

#include <stdlib.h>
#include <string.h>

#define CONF_FILES                                                 \
	"~/.config/bridlectl/" CLIENT_CONF_NAME " and " SYSCONFDIR \
	"/bridle/" CLIENT_CONF_NAME

#define DEPTH_MAX 100 /* maximum depth of groups that contain groups */
/* maximum number of groups that are expanded for one list */
#define EXPANSIONS_MAX 20000

/* A group that is being expanded, and the groups that contain this group. */
struct step {
	const struct conf_group *group;
	const struct step *above; /* the containing group, or NULL */
	size_t depth;             /* nesting depth of `group`, counted from 1 */
};

/* The state while one list is expanded. */
struct inventory {
	const struct client_conf *conf;
	struct hosts *hosts;     /* the hosts found so far */
	const struct step *step; /* innermost group; NULL outside groups */
	size_t *expansions;      /* number of groups expanded so far */
	struct buf *error;
};

static int add_list(struct inventory *, const char *list);

static int
no_memory(struct buf *error)
{
	buf_adds(error, "out of memory");
	return -1;
}

/*
 * Allocate memory for `more` further hosts. The memory at least doubles, so
 * that adding hosts one by one stays fast. Returns 0, or -1 with a sentence
 * appended to error.
 */
static int
reserve(struct hosts *hosts, size_t more, struct buf *error)
{
	size_t room = hosts->n + more;
	struct host *v;

	if (more > HOSTLIST_MAX - hosts->n) {
		buf_addf(
			error, "the list has more than %d hosts", HOSTLIST_MAX);
		return -1;
	}
	if (room <= hosts->room)
		return 0;
	if (room < 2 * hosts->n)
		room = 2 * hosts->n;
	v = reallocarray(hosts->v, room, sizeof(*v));
	if (v == NULL)
		return no_memory(error);
	hosts->v = v;
	hosts->room = room;
	return 0;
}

/* True if the word begins with "unix:" or "plain:". */
static bool
has_prefix(const char *word)
{
	return strncmp(word, "unix:", 5) == 0 ||
	       strncmp(word, "plain:", 6) == 0;
}

static int
copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from != NULL && *to == NULL ? -1 : 0;
}

/*
 * Set the target and the settings of h from the entry of the configured host
 * `known`. `port` is ":PORT" or "". If `port` is not "", use PORT in place of
 * the entry's port. Returns 0, or -1 with a sentence in in->error.
 */
static int
take_entry(struct inventory *in, struct host *h, const struct conf_host *known,
	const char *port)
{
	const struct conf_entry *e = &in->conf->entries[known->entry];
	const char *address = known->address ? known->address : known->name;
	struct buf text = { 0 };
	int result = -1;

	client_conf_target(e->kind, address, *port ? 0 : e->port, &text);
	buf_adds(&text, port);
	h->timeout = e->timeout;
	h->wake_port = e->wake_port;
	if (e->kind == TARGET_UNIX && *port != '\0')
		buf_addf(
			in->error, "'%s': a unix socket has no port", h->label);
	else if (copy(&h->identity, e->identity) != 0 ||
		 copy(&h->fingerprint, e->fingerprint) != 0 ||
		 copy(&h->mac, known->mac) != 0 ||
		 copy(&h->broadcast, e->broadcast) != 0 ||
		 copy(&h->wake_interface, e->wake_interface) != 0)
		no_memory(in->error);
	else
		result = target_parse(buf_str(&text), &h->target, in->error);
	h->target.name = h->label;
	buf_free(&text);
	return result;
}

/*
 * Return the configured host for a label NAME or NAME:PORT. Return NULL if no
 * host has this name. If a host is found, set *port to the part of the label
 * after NAME. This part is ":PORT" or "".
 */
static const struct conf_host *
find_host(const struct client_conf *conf, const char *label, const char **port)
{
	if (conf->nhosts == 0 || has_prefix(label))
		return NULL;
	*port = label + strcspn(label, ":");
	return client_conf_host(conf, label, (size_t)(*port - label));
}

static int
add_host(struct inventory *in, const char *name)
{
	const struct conf_host *known;
	const char *port;
	struct host *h;

	if (reserve(in->hosts, 1, in->error) != 0)
		return -1;
	h = &in->hosts->v[in->hosts->n];
	memset(h, 0, sizeof(*h));
	if ((h->label = strdup(name)) == NULL)
		return no_memory(in->error);
	in->hosts->n++;
	known = find_host(in->conf, h->label, &port);
	return known ? take_entry(in, h, known, port)
		     : target_parse(h->label, &h->target, in->error);
}

/*
 * Move all hosts of `from` to the end of `to`. Returns 0, or -1 with a sentence
 * appended to error.
 */
static int
move_hosts(struct hosts *to, struct hosts *from, struct buf *error)
{
	if (reserve(to, from->n, error) != 0)
		return -1;
	if (from->n > 0)
		memcpy(to->v + to->n, from->v, from->n * sizeof(*from->v));
	to->n += from->n;
	from->n = 0;
	return 0;
}

static int
add_lists(struct inventory *in, char *const *lists)
{
	int result = 0;

	for (; result == 0 && lists != NULL && *lists != NULL; lists++)
		result = add_list(in, *lists);
	return result;
}

static int
refuse_unknown(struct inventory *in, const char *name)
{
	const char *nearest = client_conf_nearest_group(in->conf, name);

	buf_addf(in->error, "unknown group '@%s'", name);
	if (nearest != NULL)
		buf_addf(in->error, "; did you mean '@%s'?", nearest);
	else
		buf_addf(in->error, "; groups are defined in " CONF_FILES);
	return -1;
}

static bool
is_within(const struct step *step, const struct conf_group *group)
{
	for (; step != NULL; step = step->above)
		if (step->group == group)
			return true;
	return false;
}

static void
add_chain(struct buf *out, const struct step *step)
{
	if (step->above != NULL)
		add_chain(out, step->above);
	buf_addf(out, "@%s > ", step->group->name);
}

static int
refuse_loop(struct inventory *in, const struct conf_group *group)
{
	buf_addf(in->error, "the group '@%s' contains itself: ", group->name);
	add_chain(in->error, in->step);
	buf_addf(in->error, "@%s", group->name);
	return -1;
}

static int
refuse_depth(struct inventory *in, const struct conf_group *group)
{
	buf_addf(in->error,
		"the group '@%s' is nested too deeply, or groups are used "
		"too often",
		group->name);
	return -1;
}

/*
 * Add the hosts of a group, without duplicates and without the hosts in the
 * group's key `exclude`.
 */
static int
add_group(struct inventory *in, const struct conf_group *group)
{
	struct hosts members = { 0 }, without = { 0 };
	struct step step = { group, in->step,
		in->step ? in->step->depth + 1 : 1 };
	struct inventory inner = { in->conf, &members, &step, in->expansions,
		in->error };
	struct inventory outer = { in->conf, &without, &step, in->expansions,
		in->error };
	int result = -1;

	if (is_within(in->step, group))
		return refuse_loop(in, group);
	if (step.depth > DEPTH_MAX || ++*in->expansions > EXPANSIONS_MAX)
		return refuse_depth(in, group);
	if (add_lists(&inner, group->hosts) == 0 &&
		add_lists(&outer, group->exclude) == 0) {
		if (host_set_exclude(&members, &without) != 0 ||
			host_set_unique(&members) != 0)
			no_memory(in->error);
		else
			result = move_hosts(in->hosts, &members, in->error);
	}
	hosts_free(&members);
	hosts_free(&without);
	return result;
}

/*
 * Add all configured hosts, then the hosts of all groups. A group can contain
 * HOST_ALL. Therefore skip groups that are being expanded.
 */
static int
add_everything(struct inventory *in)
{
	const struct client_conf *conf = in->conf;
	int result = 0;
	size_t i;

	if (conf->nhosts + conf->ngroups == 0) {
		buf_adds(in->error, "no host is configured; hosts are defined "
				    "in " CONF_FILES);
		return -1;
	}
	for (i = 0; result == 0 && i < conf->nhosts; i++)
		result = add_host(in, conf->hosts[i].name);
	for (i = 0; result == 0 && i < conf->ngroups; i++)
		if (!is_within(in->step, &conf->groups[i]))
			result = add_group(in, &conf->groups[i]);
	return result;
}

static int
add_name(void *arg, const char *name)
{
	struct inventory *in = arg;
	const struct conf_group *group;

	if (*name != '@')
		return add_host(in, name);
	if (strcmp(name, HOST_ALL) == 0)
		return add_everything(in);
	group = client_conf_group(in->conf, name + 1);
	return group ? add_group(in, group) : refuse_unknown(in, name + 1);
}

static int
add_word(void *arg, const char *word)
{
	struct inventory *in = arg;
	size_t count;

	if (hostlist_count(word, &count, in->error) != 0 ||
		reserve(in->hosts, count, in->error) != 0)
		return -1;
	return hostlist_expand(word, add_name, in, in->error);
}

static int
add_list(struct inventory *in, const char *list)
{
	return hostlist_words(list, add_word, in, in->error);
}

int
host_expand(struct hosts *hosts, const struct client_conf *conf,
	const char *list, struct buf *error)
{
	size_t expansions = 0;
	struct inventory in = { conf, hosts, NULL, &expansions, error };

	return add_list(&in, list);
}

bool
host_is_literal(const char *list)
{
	for (;; list++) {
		if (!has_prefix(list))
			return false;
		list += hostlist_span(list);
		if (*list == '\0')
			return true;
	}
}
