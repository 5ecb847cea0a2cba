#include "config/listen_proof.h"

#include "clock.h"
#include "conf.h"
#include "config/run_bridled.h"
#include "hosts/local_host.h"
#include "net.h"
#include "output/render.h"
#include "remote/conn.h"
#include "request.h"
#include "tls.h"
#include "util/message.h"
#include "util/problem.h"
#include "util/write_out.h"
#include "wire.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Time limit in ms for the answers of all listeners together. The limit leaves
 * time for a restart, because systemd starts a failed service again after three
 * seconds.
 */
#define PROOF_MS 8000
/*
 * Maximum and minimum time limit in ms of one attempt, and the pause in ms
 * before the next attempt.
 */
#define ANSWER_MS 4000
#define ANSWER_MIN_MS 1000
#define PAUSE_MS 100
#define PING "1#4\n"
#define NO_GROUP 65534 /* gid of Debian's group nogroup */

/*
 * Set the target of a TCP listener. Replace the unspecified address (0.0.0.0 or
 * ::) by the loopback address.
 */
static bool
set_tcp(struct listen_place *p, const char *text, bool tls)
{
	struct net_addr addr;
	struct buf place = { 0 };
	const char *host, *port;
	size_t len;

	if (net_parse(text, &addr) != 0)
		return false;
	p->target.kind = tls ? TARGET_TLS : TARGET_PLAIN;
	p->wildcard = addr.sa.sa_family == AF_INET6 &&
		      IN6_IS_ADDR_UNSPECIFIED(&addr.in6.sin6_addr);
	if (p->wildcard)
		addr.in6.sin6_addr = in6addr_loopback;
	else if (addr.sa.sa_family == AF_INET &&
		 addr.in.sin_addr.s_addr == htonl(INADDR_ANY))
		addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	net_format(&addr, &place);
	host = buf_str(&place);
	port = strrchr(host, ':');
	if (port != NULL) {
		len = (size_t)(port - host);
		if (*host == '[') {
			host++;
			len -= 2;
		}
		snprintf(p->target.host, sizeof(p->target.host), "%.*s",
			(int)len, host);
		snprintf(
			p->target.port, sizeof(p->target.port), "%s", port + 1);
	}
	buf_free(&place);
	return port != NULL;
}

static int
add(struct listen_places *l, const char *unix_path, const char *tcp, bool tls)
{
	struct listen_place *v = realloc(l->v, (l->n + 1) * sizeof(*v)), *p;
	struct buf text = { 0 };
	bool good = true;

	if (v == NULL)
		return -1;
	l->v = v;
	p = &v[l->n];
	memset(p, 0, sizeof(*p));
	if (unix_path != NULL) {
		buf_addf(&text, "unix:%s", unix_path);
		p->target.kind = TARGET_UNIX;
		snprintf(p->target.host, sizeof(p->target.host), "%s",
			unix_path);
	} else {
		buf_addf(&text, "%s%s", tcp, tls ? " (TLS)" : "");
		good = set_tcp(p, tcp, tls);
	}
	p->text = strdup(buf_str(&text));
	p->target.name = p->text;
	buf_free(&text);
	if (!good)
		message_print("%s: not an address of this machine", p->text);
	if (p->text == NULL || !good) {
		free(p->text);
		return -1;
	}
	l->n++;
	return 0;
}

/* Add the listeners of `listen`, which may be NULL. */
static int
add_listed(struct listen_places *l, const config_setting_t *listen)
{
	const config_setting_t *entry;
	const char *path, *tcp;
	unsigned i;
	int tls;

	for (i = 0; listen != NULL &&
		    (entry = config_setting_get_elem(listen, i)) != NULL;
		i++) {
		path = tcp = NULL;
		tls = 0;
		config_setting_lookup_string(entry, "unix", &path);
		config_setting_lookup_string(entry, "tcp", &tcp);
		config_setting_lookup_bool(entry, "tls", &tls);
		if ((path != NULL || tcp != NULL) &&
			add(l, path, tcp, tls) != 0)
			return -1;
	}
	return 0;
}

static bool
has_unix(const struct listen_places *l, const char *path)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].target.kind == TARGET_UNIX &&
			strcmp(l->v[i].target.host, path) == 0)
			return true;
	return false;
}

int
listen_places_read(
	struct listen_places *l, const char *file, char *const *sockets)
{
	const char *args[] = { "--show", file, NULL };
	struct buf text = { 0 }, errors = { 0 };
	struct conf conf;
	int result = -1;

	*l = (struct listen_places){ 0 };
	if (run_bridled_with(file, args, &text, &errors) != 0) {
		write_out_buf(STDERR_FILENO, &errors);
	} else {
		if (conf_open_text(
			    &conf, buf_str(&text), file, &errors, NULL) == 0)
			result = add_listed(
				l, config_lookup(&conf.config, "listen"));
		conf_close(&conf);
	}
	for (; result == 0 && *sockets != NULL; sockets++)
		if (!has_unix(l, *sockets))
			result = add(l, *sockets, NULL, false);
	buf_free(&errors);
	buf_free(&text);
	return result;
}

void
listen_places_free(struct listen_places *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->v[i].text);
	free(l->v);
	*l = (struct listen_places){ 0 };
}

/* Append the text of a status line. Always return -1. */
static int
fail_status(const struct wire_reply *r, struct buf *problem)
{
	return problem_add(problem, "%.*s (%d)", (int)r->fields[0].len,
		r->fields[0].s, r->code);
}

/*
 * Read a reply and return its code. Each code except 503 shows that the daemon
 * serves requests. For 503, and after a failure, return -1 with a sentence in
 * `problem`.
 */
static int
read_code(struct conn *c, struct buf *problem)
{
	struct wire_reply r;
	char *line;
	size_t len;
	int got;

	do {
		if ((got = conn_line(c, &line, &len)) <= 0)
			return problem_add(problem, "%s",
				got < 0 ? buf_str(&c->problem)
					: "the connection ended without a "
					  "reply");
		if (wire_reply(line, len, &r) != 0 || r.nfields < 1)
			return problem_add(
				problem, "the program there is not bridled");
	} while (r.code == CODE_RECORD);
	return r.code == CODE_UNAVAILABLE ? fail_status(&r, problem) : r.code;
}

/*
 * Connect, and do the TLS handshake or send a ping. Store the key of a TLS
 * handshake in `key`. A busy daemon sends its refusal without TLS. Then `key`
 * is unchanged. Return a code or -1 like read_code().
 */
static int
ask(const struct target *t, int64_t deadline, char key[TLS_FINGERPRINT_SIZE],
	struct buf *problem)
{
	char why[TLS_PROBLEM_SIZE];
	struct tls_context *context = NULL;
	struct conn c;
	int code;

	if (t->kind == TARGET_TLS && (context = tls_client(NULL, why)) == NULL)
		return problem_add(problem, "%s", why);
	conn_init(&c);
	if (conn_open(&c, t, context, deadline) != 0 && !c.refused) {
		code = problem_add(problem, "%s", buf_str(&c.problem));
	} else if (c.refused) {
		conn_take_refusal(&c);
		code = read_code(&c, problem);
	} else if (t->kind == TARGET_TLS) {
		memcpy(key, c.peer, TLS_FINGERPRINT_SIZE);
		code = CODE_OK;
	} else {
		c.seconds = ANSWER_MS / 1000;
		conn_send(&c, PING, strlen(PING));
		code = read_code(&c, problem);
	}
	conn_close(&c, code != -1);
	tls_context_free(context);
	return code;
}

/*
 * Ask a listener once. If the listener has the address [::] and this machine
 * has no IPv6, ask at 127.0.0.1.
 */
static int
ask_place(const struct listen_place *p, int64_t deadline,
	char key[TLS_FINGERPRINT_SIZE], struct buf *problem)
{
	struct target four = p->target;
	int code = ask(&p->target, deadline, key, problem);

	if (code != -1 || !p->wildcard)
		return code;
	snprintf(four.host, sizeof(four.host), "127.0.0.1");
	if ((code = ask(&four, deadline, key, problem)) != -1)
		buf_reset(problem);
	return code;
}

/*
 * Ask a listener again and again, until the listener answers or the deadline
 * has passed. Ask at least once. Return a code or -1 like read_code().
 */
static int
insist(const struct listen_place *p, int64_t deadline,
	char key[TLS_FINGERPRINT_SIZE], struct buf *problem)
{
	int64_t once;
	int code;

	for (;;) {
		once = clock_earlier(clock_ms() + ANSWER_MS, deadline);
		if (clock_left(once) < ANSWER_MIN_MS)
			once = clock_ms() + ANSWER_MIN_MS;
		buf_reset(problem);
		code = ask_place(p, once, key, problem);
		if (code != -1 || clock_left(deadline) <= PAUSE_MS)
			return code;
		poll(NULL, 0, PAUSE_MS);
	}
}

/*
 * Store the fingerprint of the host key in `key`. If there is no host key,
 * bridled creates a host key. On failure, print the messages of bridled and
 * return false.
 */
static bool
read_own_key(const char *file, char key[TLS_FINGERPRINT_SIZE])
{
	const char *args[] = { "--fingerprint", file, NULL };
	struct buf out = { 0 }, errors = { 0 };
	bool good = run_bridled_with(file, args, &out, &errors) == 0;

	snprintf(key, TLS_FINGERPRINT_SIZE, "%s", buf_str(&out));
	key[strcspn(key, "\n")] = '\0';
	if (!good)
		write_out_buf(STDERR_FILENO, &errors);
	buf_free(&out);
	buf_free(&errors);
	return good;
}

/*
 * True if a request can show that the listener works. Otherwise print the
 * reason, and return false.
 */
static bool
can_try(const struct listen_place *p)
{
	const struct target *t = &p->target;

	if (t->kind == TARGET_UNIX && access(t->host, W_OK) != 0 &&
		errno == EACCES)
		message_print("%s: not tried, because you have no permission",
			p->text);
	else if (!local_host_matches(t))
		message_print("%s: not tried, because this machine does not "
			      "have the address now",
			p->text);
	else
		return true;
	return false;
}

static int
prove(const struct listen_place *p, const char *own, int64_t deadline,
	struct buf *problem)
{
	char key[TLS_FINGERPRINT_SIZE] = "";
	struct buf why = { 0 };
	int result = 0;

	if (!can_try(p))
		return 0;
	if (insist(p, deadline, key, &why) == -1)
		buf_addf(problem, "%s: %s\n", p->text, buf_str(&why));
	else if (p->target.kind == TARGET_TLS && *key == '\0')
		result = render_line("%s answers, but is too busy to show its "
				     "key",
			p->text);
	else if (p->target.kind == TARGET_TLS && strcmp(key, own) != 0)
		buf_addf(problem,
			"%s: the program there has the key %s, but the host's "
			"key is %s\n",
			p->text, key, own);
	else
		result = p->target.kind == TARGET_TLS
				 ? render_line("%s answers with the host's key "
					       "%s",
					   p->text, key)
				 : render_line("%s answers", p->text);
	buf_free(&why);
	return result;
}

static bool
has_tls(const struct listen_places *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		if (l->v[i].target.kind == TARGET_TLS)
			return true;
	return false;
}

int
listen_places_prove(
	const struct listen_places *l, const char *file, struct buf *problem)
{
	int64_t deadline = clock_ms() + PROOF_MS;
	char own[TLS_FINGERPRINT_SIZE] = "";
	size_t i;

	if (has_tls(l) && !read_own_key(file, own))
		return problem_add(problem, "the host key cannot be read\n");
	for (i = 0; i < l->n; i++)
		prove(&l->v[i], own, deadline, problem);
	return problem->len == 0 ? 0 : -1;
}

/*
 * Become the user, with the groups of this user. If the user has no account,
 * the only group is NO_GROUP. Return false on failure.
 */
static bool
become(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);
	gid_t gid = pw != NULL ? pw->pw_gid : NO_GROUP;

	if (uid == geteuid())
		return true;
	if ((pw != NULL ? initgroups(pw->pw_name, gid) : setgroups(0, NULL)) !=
		0)
		return false;
	return setgid(gid) == 0 && setuid(uid) == 0;
}

static bool
knows_me(const struct listen_places *l)
{
	int64_t deadline = clock_ms() + ANSWER_MS;
	char key[TLS_FINGERPRINT_SIZE];
	struct buf problem = { 0 };
	bool known = false;
	size_t i;
	int code;

	for (i = 0; i < l->n && !known; i++) {
		if (l->v[i].target.kind == TARGET_TLS ||
			!local_host_matches(&l->v[i].target))
			continue;
		code = ask_place(&l->v[i], deadline, key, &problem);
		known = code != -1 && code != CODE_NO_IDENTITY;
	}
	buf_free(&problem);
	return known;
}

bool
listen_places_admit(const struct listen_places *l, uid_t uid)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(become(uid) && knows_me(l) ? 0 : 1);
	return pid != -1 && waitpid(pid, &status, 0) == pid && status == 0;
}
