#include "trust/enrol_ssh.h"

#include "clock.h"
#include "trust/admit_input.h"
#include "util/child_program.h"
#include "util/problem.h"

#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 64 /* maximum number of words of a command */
#define BLANKS " \t"
#define SSH_FAILED 255 /* exit status if ssh(1) itself has failed */
#define NOT_FOUND 127  /* exit status if the shell finds no program */
#define TRIES 4
#define PAUSE 400 /* ms before the second attempt */

/*
 * The command that ssh runs on the host. The command is constant, and never
 * contains data.
 */
static const char *const remote[] = { "bridlectl", "admit", "--stdin" };

/*
 * The command on this machine if --via is not given. ssh refuses a host with an
 * unknown key, and never stores this key.
 */
static const char *const ssh[] = { "ssh", "-axT", "-o",
	"StrictHostKeyChecking=yes", "-o", "UpdateHostKeys=no", "-o",
	"ClearAllForwardings=yes", "-o", "PermitLocalCommand=no", "-o",
	"ConnectTimeout=10", "-o", "LogLevel=ERROR" };

/* The words of a command, and the memory that holds the words. */
struct command_words {
	size_t n;
	const char *v[WORDS_MAX + 1];
	char *via;          /* copy of --via; its words are in `v` */
	struct buf target;  /* "USER@HOST" or "HOST" */
	struct buf made[8]; /* words of --via after the expansion of %h */
	size_t nmade;
};

static void
add_word(struct command_words *w, const char *word)
{
	if (w->n < WORDS_MAX)
		w->v[w->n++] = word;
}

/* Append a word of --via. %h stands for the host, and %% for a percent sign. */
static void
expand_word(struct command_words *w, const char *word)
{
	struct buf *out;

	if (strchr(word, '%') == NULL ||
		w->nmade == sizeof(w->made) / sizeof(w->made[0])) {
		add_word(w, word);
		return;
	}
	out = &w->made[w->nmade++];
	for (; *word != '\0'; word++) {
		if (word[0] == '%' && word[1] == 'h')
			buf_adds(out, buf_str(&w->target));
		else
			buf_addc(out, *word);
		word += word[0] == '%' && strchr("h%", word[1]) && word[1];
	}
	add_word(w, buf_str(out));
}

static void
add_via(struct command_words *w, const char *via)
{
	char *rest, *word;

	if ((w->via = strdup(via)) == NULL)
		return;
	for (word = strtok_r(w->via, BLANKS, &rest); word != NULL;
		word = strtok_r(NULL, BLANKS, &rest))
		expand_word(w, word);
}

/*
 * Append the host in the form that ssh(1) expects, which is "USER@HOST" or
 * "HOST".
 */
static void
add_target(const struct enrol_ssh *s, struct buf *out)
{
	if (s->user != NULL)
		buf_addf(out, "%s@", s->user);
	buf_adds(out, s->host);
}

static void
make_command(struct command_words *w, const struct enrol_ssh *s)
{
	size_t i;

	memset(w, 0, sizeof(*w));
	add_target(s, &w->target);
	if (s->via != NULL) {
		add_via(w, s->via);
	} else {
		for (i = 0; i < sizeof(ssh) / sizeof(ssh[0]); i++)
			add_word(w, ssh[i]);
		add_word(w, "-o");
		add_word(w, s->may_ask ? "BatchMode=no" : "BatchMode=yes");
		add_word(w, "--");
		add_word(w, buf_str(&w->target));
	}
	for (i = 0; i < sizeof(remote) / sizeof(remote[0]); i++)
		add_word(w, remote[i]);
}

static void
free_command(struct command_words *w)
{
	size_t i;

	for (i = 0; i < w->nmade; i++)
		buf_free(&w->made[i]);
	buf_free(&w->target);
	free(w->via);
}

int
enrol_ssh_check_via(const char *via, struct buf *error)
{
	size_t words = 0, hosts = 0;
	const char *s;

	for (s = via; *s != '\0'; s++) {
		if (strchr(BLANKS, *s) == NULL &&
			(s == via || strchr(BLANKS, s[-1]) != NULL))
			words++;
		if (*s != '%')
			continue;
		s++;
		if (*s != 'h' && *s != '%')
			return problem_add(error,
				"--via: after %%, only h (the host) and %% are "
				"possible");
		hosts += *s == 'h';
	}
	if (hosts > 0 && hosts <= 8 && words <= WORDS_MAX / 2)
		return 0;
	return problem_add(error,
		"--via must be a command with %%h for the host, such as 'ssh "
		"-J relay %%h'");
}

/*
 * If the line begins with the word, return the text after the word. Otherwise
 * return NULL.
 */
static const char *
after(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 ? line + len : NULL;
}

/* The lines of the host's output that report the progress of the admission. */
struct progress_lines {
	bool sudo;       /* bridlectl has called sudo(8) */
	bool hello;      /* bridlectl runs as root */
	bool no_program; /* bridled could not be run */
	bool end;        /* the reply is complete */
};

static void
take_line(struct enrol_reply *r, struct progress_lines *p, const char *line)
{
	const char *text;

	if (strcmp(line, ADMIT_SUDO) == 0)
		p->sudo = true;
	else if (strcmp(line, ADMIT_HELLO) == 0)
		p->hello = true;
	else if (!p->hello)
		return; /* for example a message of a login script */
	else if (strcmp(line, ADMIT_NO_PROGRAM) == 0)
		p->no_program = true;
	else if (strcmp(line, ADMIT_END) == 0)
		p->end = true;
	else if ((text = after(line, ADMIT_STATE)) != NULL)
		snprintf(r->state, sizeof(r->state), "%s", text);
	else if ((text = after(line, ADMIT_LISTENER)) != NULL)
		buf_addf(&r->listeners, "%s\n", text);
	else if ((text = after(line, ADMIT_PLAN)) != NULL)
		buf_addf(&r->plan, "%s\n", text);
	else if ((text = after(line, ADMIT_FINGERPRINT)) != NULL &&
		 tls_fingerprint_valid(text))
		memcpy(r->fingerprint, text, TLS_FINGERPRINT_SIZE);
}

static void
take_output(struct enrol_reply *r, struct progress_lines *p, const char *output)
{
	char *copy = strdup(output), *rest = copy, *line;

	memset(p, 0, sizeof(*p));
	while (copy != NULL && (line = strsep(&rest, "\n")) != NULL) {
		line[strcspn(line, "\r")] = '\0';
		take_line(r, p, line);
	}
	free(copy);
}

/*
 * Append the lines of `err` to `problem`, without "bridlectl: " at the start of
 * a line.
 */
static void
add_said(struct buf *problem, const char *err)
{
	const char *text;
	size_t len;

	for (; *err != '\0'; err += len + (err[len] == '\n')) {
		len = strcspn(err, "\r\n");
		text = after(err, "bridlectl: ");
		if (text == NULL)
			text = err;
		if (len > 0)
			buf_addf(problem, "\n%.*s",
				(int)(len - (size_t)(text - err)), text);
		len += strspn(err + len, "\r");
	}
}

static bool
says(const char *err, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (strstr(err, *texts) != NULL)
			return true;
	return false;
}

/* Explain a failure of ssh(1) itself. */
static enum enrol_result
explain_ssh(const struct enrol_ssh *s, const char *err, struct buf *problem)
{
	static const char *const changed[] = {
		"REMOTE HOST IDENTIFICATION HAS CHANGED",
		"host key has changed", NULL
	};
	static const char *const unknown[] = { "Host key verification failed",
		"host key is known for", NULL };
	static const char *const login[] = { "Permission denied",
		"Too many authentication failures",
		"No supported authentication methods", NULL };
	struct buf target = { 0 };

	if (says(err, changed)) {
		buf_addf(problem,
			"ssh refuses this host, because its ssh key has "
			"changed; nothing was sent");
		return ENROL_UNREACHED;
	}
	if (says(err, unknown)) {
		add_target(s, &target);
		buf_addf(problem,
			"ssh does not know this host's key; run 'ssh %s' "
			"once, and compare the key",
			buf_str(&target));
		buf_free(&target);
		return ENROL_UNREACHED;
	}
	if (says(err, login))
		buf_adds(problem,
			s->may_ask ? "ssh could not log in"
				   : "ssh could not log in without a password; "
				     "for several hosts, use an ssh key");
	else
		buf_adds(problem, "ssh has failed");
	add_said(problem, err);
	return ENROL_UNREACHED;
}

static void
add_not_installed(const struct enrol_ssh *s, struct buf *problem)
{
	buf_addf(problem,
		"bridled is not installed there: install the package bridle on "
		"%s, then repeat this command",
		s->host);
}

/* Return the name of this user, or "NAME" if the user has no account. */
static const char *
login_name(void)
{
	const struct passwd *pw = getpwuid(getuid());

	return pw != NULL ? pw->pw_name : "NAME";
}

/* Explain why the host sent no complete reply. */
static enum enrol_result
explain(const struct enrol_ssh *s, int status, const struct progress_lines *p,
	const char *err, struct buf *problem)
{
	enum enrol_result result = ENROL_FAILED;

	if (status == CHILD_PROGRAM_MISSING) {
		buf_adds(problem, err);
		return ENROL_FAILED;
	}
	if (status == CHILD_PROGRAM_LATE) {
		buf_adds(problem, "no reply in time");
		result = ENROL_LATE;
	} else if (p->no_program) {
		add_not_installed(s, problem);
		return ENROL_FAILED;
	} else if (p->hello) {
		buf_adds(problem, "the host has refused");
		result = ENROL_REFUSED;
	} else if (p->sudo) {
		buf_addf(problem,
			"sudo failed: the user needs this line in sudoers(5): "
			"%s ALL=(root) NOPASSWD: /usr/bin/bridlectl admit "
			"--stdin; or use root@%s",
			s->user != NULL ? s->user : login_name(), s->host);
		result = ENROL_REFUSED;
	} else if (status == SSH_FAILED) {
		return explain_ssh(s, err, problem);
	} else if (status == NOT_FOUND) {
		add_not_installed(s, problem);
		buf_adds(problem, " (there is no bridlectl)");
	} else {
		buf_adds(problem, "bridlectl of this host is too old, or the "
				  "command has failed");
	}
	add_said(problem, err);
	return result;
}

/* True if a busy sshd has closed the connection before the login. */
static bool
was_turned_away(int status, const char *err)
{
	static const char *const texts[] = { "kex_exchange_identification",
		"ssh_exchange_identification", NULL };

	return status == SSH_FAILED && says(err, texts);
}

enum enrol_result
enrol_ssh(const struct enrol_ssh *s, const struct admit *a,
	struct enrol_reply *r, struct buf *problem)
{
	struct buf input = { 0 }, out = { 0 }, err = { 0 };
	struct command_words words;
	struct progress_lines p;
	enum enrol_result result = ENROL_DONE;
	int status, try = 1, pause = PAUSE;

	admit_input_format(a, &input);
	make_command(&words, s);
	while ((status = child_program_run(words.v, &input, s->deadline, &out,
			&err)) == SSH_FAILED &&
		was_turned_away(status, buf_str(&err)) && try < TRIES &&
		clock_left(s->deadline) > pause) {
		/*
		 * Add a part that differs between workers, so that the workers
		 * do not all connect again at the same time.
		 */
		poll(NULL, 0, pause + getpid() % PAUSE);
		pause *= 2;
		try++;
		buf_reset(&out);
		buf_reset(&err);
	}
	take_output(r, &p, buf_str(&out));
	if (!p.end || status != 0)
		result = explain(s, status, &p, buf_str(&err), problem);
	else if (!a->dry_run && *r->fingerprint == '\0') {
		buf_adds(problem, "the host's reply has no fingerprint");
		result = ENROL_FAILED;
	} else {
		add_said(&r->said, buf_str(&err));
	}
	free_command(&words);
	buf_free(&input);
	buf_free(&out);
	buf_free(&err);
	return result;
}

void
enrol_reply_free(struct enrol_reply *r)
{
	buf_free(&r->listeners);
	buf_free(&r->plan);
	buf_free(&r->said);
}
