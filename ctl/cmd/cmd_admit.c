#include "cmd/commands.h"
#include "config/config_apply.h"
#include "fd.h"
#include "output/render.h"
#include "trust/admit.h"
#include "trust/admit_input.h"
#include "util/message.h"
#include "util/write_out.h"
#include "wire.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Append the argument by which other machines name this host. The argument is
 * the address of the first listener. If this listener is open at all addresses,
 * append the name of the host instead.
 */
static void
add_host(struct buf *out, struct buf *listeners)
{
	char name[HOST_NAME_MAX + 1] = "", *copy = strdup(buf_str(listeners));
	const char *port, *address;

	if (copy == NULL)
		return;
	copy[strcspn(copy, "\n")] = '\0';
	address = copy;
	port = strrchr(copy, ':');
	if (port != NULL && strncmp(address, "[::]:", 5) != 0 &&
		strncmp(address, "0.0.0.0:", 8) != 0) {
		buf_adds(out, address);
	} else {
		gethostname(name, sizeof(name) - 1);
		buf_adds(out, name);
		if (port != NULL && strcmp(port + 1, WIRE_PORT_TLS) != 0)
			buf_adds(out, port);
	}
	free(copy);
}

/*
 * Print the result. The last line of stdout is the command that the user must
 * type on the client's machine. Return 0, or -1 if the output could not be
 * written.
 */
static int
show(const struct admit *a, struct admitted *r)
{
	struct buf host = { 0 };
	int result;

	message_print(r->state == ADMIT_UNCHANGED ? "'%s' is already admitted"
						  : "'%s' is admitted",
		a->name);
	message_print("the fingerprint of this host is %s", r->fingerprint);
	message_print("on the machine of '%s', type:", a->name);
	add_host(&host, &r->listeners);
	result = render_line("bridlectl trust %s --fingerprint %s",
		buf_str(&host), r->fingerprint);
	buf_free(&host);
	return result;
}

static enum outcome
admit(const struct admit *a)
{
	struct admitted r;
	enum outcome outcome = admit_run(a, &r);

	if (outcome == OUTCOME_DONE && a->dry_run)
		outcome = write_out_buf(STDOUT_FILENO, &r.plan) == 0
				  ? OUTCOME_DONE
				  : OUTCOME_NO;
	else if (outcome == OUTCOME_DONE)
		outcome = show(a, &r) == 0 ? OUTCOME_DONE : OUTCOME_NO;
	admitted_free(&r);
	return outcome;
}

/* Append each line of the text, with `word` at its beginning. */
static void
add_lines(struct buf *out, const char *word, struct buf *text)
{
	const char *line = buf_str(text);
	size_t len;

	for (; *line != '\0'; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		buf_addf(out, "%s%.*s\n", word, (int)len, line);
	}
}

/* Carry out an admission of `enrol`, and append the lines of the reply. */
static enum outcome
admit_and_reply(const struct admit *a, struct buf *out)
{
	struct admitted r;
	enum outcome outcome = admit_run(a, &r);

	if (r.no_program)
		buf_adds(out, ADMIT_NO_PROGRAM "\n");
	if (outcome == OUTCOME_DONE) {
		buf_addf(out, ADMIT_STATE "%s\n", admit_state_names[r.state]);
		if (!a->dry_run)
			buf_addf(out, ADMIT_FINGERPRINT "%s\n", r.fingerprint);
		add_lines(out, ADMIT_LISTENER, &r.listeners);
		add_lines(out, ADMIT_PLAN, &r.plan);
		buf_adds(out, ADMIT_END "\n");
	}
	admitted_free(&r);
	return outcome;
}

/*
 * Become root by sudo(8), which must ask for no password. Return only after an
 * error.
 */
static enum outcome
become_root(void)
{
	char *self = realpath("/proc/self/exe", NULL);

	write_out(STDOUT_FILENO, ADMIT_SUDO "\n", strlen(ADMIT_SUDO "\n"));
	if (self != NULL)
		execlp("sudo", "sudo", "-n", self, "admit", "--stdin",
			(char *)NULL);
	message_print("cannot run sudo: %s", strerror(errno));
	free(self);
	return OUTCOME_NO;
}

/* Read an admission of `enrol` from stdin, and carry out the admission. */
static enum outcome
admit_input(void)
{
	struct admit a = { .file = CONFIG_DEFAULT_FILE };
	struct buf out = { 0 }, error = { 0 };
	enum outcome outcome = OUTCOME_NO;
	size_t len;
	char *text = fd_read_all(STDIN_FILENO, ADMIT_INPUT_MAX, &len);

	write_out(STDOUT_FILENO, ADMIT_HELLO "\n", strlen(ADMIT_HELLO "\n"));
	if (text == NULL)
		buf_addf(&error, "cannot read the input: %s", strerror(errno));
	else if (admit_input_parse(&a, text, &error) == 0 &&
		 admit_check(&a, &error) == 0)
		outcome = admit_and_reply(&a, &out);
	if (error.len > 0)
		message_print("%s", buf_str(&error));
	if (write_out_buf(STDOUT_FILENO, &out) != 0)
		outcome = OUTCOME_NO;
	buf_free(&error);
	buf_free(&out);
	free(text);
	return outcome;
}

static enum admit_mode
find_mode(const struct invocation *inv)
{
	if (invocation_has(inv, OPT_ADD_KEY))
		return ADMIT_ADD_KEY;
	if (invocation_has(inv, OPT_DROP_OLD))
		return ADMIT_DROP_OLD;
	return invocation_has(inv, OPT_REPLACE) ? ADMIT_REPLACE : ADMIT_ENTRY;
}

static enum outcome
run(const struct invocation *inv)
{
	const struct options *o = &inv->options;
	struct admit a = { .file = inv->nargs > 1 ? inv->args[1]
						  : CONFIG_DEFAULT_FILE,
		.key = inv->nargs > 0 ? inv->args[0] : NULL,
		.name = o->values[OPT_NAME],
		.allow = o->values[OPT_ALLOW],
		.from = o->values[OPT_FROM],
		.until = o->values[OPT_UNTIL],
		.listen = o->values[OPT_LISTEN],
		.mode = find_mode(inv),
		.dry_run = invocation_has(inv, OPT_DRY_RUN) };
	struct buf error = { 0 };
	bool good = true;

	if (options_given(o, OPT_STDIN)) {
		if (o->given != OPT_BIT(OPT_STDIN) || inv->nargs > 0) {
			message_print("--stdin takes no other option and no "
				      "argument");
			return OUTCOME_USAGE;
		}
		if (geteuid() != 0)
			return become_root();
	} else if (a.key == NULL) {
		message_print("'admit' needs SHA256:..., the fingerprint that "
			      "'bridlectl keygen' prints for the client");
		good = false;
	} else if ((good = admit_check(&a, &error) == 0) == false) {
		message_print("%s", buf_str(&error));
	}
	buf_free(&error);
	if (!good)
		return OUTCOME_USAGE;
	admit_ignore_signals();
	return options_given(o, OPT_STDIN) ? admit_input() : admit(&a);
}

const struct command cmd_admit = { .name = "admit",
	.args = "SHA256:... [FILE]",
	.help = "let a client with this key use this host",
	.examples =
		"admit SHA256:... --name anna --allow list,kill|\n"
		"admit SHA256:... --name anna --allow list -n|only show it\n"
		"admit SHA256:... --name anna --allow list --listen '[::]:7075'"
		"|\n"
		"admit SHA256:... --name anna --add-key|a second key\n",
	.options = OPT_BIT(OPT_NAME) | OPT_BIT(OPT_ALLOW) | OPT_BIT(OPT_FROM) |
		   OPT_BIT(OPT_UNTIL) | OPT_BIT(OPT_LISTEN) |
		   OPT_BIT(OPT_ADD_KEY) | OPT_BIT(OPT_DROP_OLD) |
		   OPT_BIT(OPT_REPLACE) | OPT_BIT(OPT_DRY_RUN) |
		   OPT_BIT(OPT_STDIN),
	.args_max = 2,
	.takes = { { ARG_TEXT, NULL }, { ARG_FILE, NULL } },
	.run = run };
