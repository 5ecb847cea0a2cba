#include "cmd/commands.h"
#include "output/render.h"
#include "remote/client_key.h"
#include "remote/key_create.h"
#include "util/config_dir.h"
#include "util/message.h"

#include <errno.h>
#include <string.h>

/*
 * Print the fingerprint of the key, and an entry for `clients` on a host.
 * Return 0, or -1 if the output could not be written.
 */
static int
print_key(const char *fingerprint)
{
	struct buf login = { 0 };
	int result = -1;

	key_create_login(&login);
	if (render_line("%s", fingerprint) == 0 &&
		render_line("{ name = \"%s\"; key = (\"%s\");", buf_str(&login),
			fingerprint) == 0)
		result = render_line("  allow = (\"list\", \"ping\", "
				     "\"status\", \"verbs\", \"explain\"); }");
	if (result == 0)
		message_print("to use a host, run 'bridlectl enrol'; or on the "
			      "host, run 'bridlectl admit %s --name %s --allow "
			      "list', or add these two lines to clients of "
			      "bridled.conf; add more verbs to allow if needed",
			fingerprint, buf_str(&login));
	buf_free(&login);
	return result;
}

static enum outcome
show_existing(const char *path)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf problem = { 0 };

	if (key_create_read(path, fingerprint, &problem) != 0) {
		message_print("%s already exists and is not changed", path);
		message_print("%s", buf_str(&problem));
	} else {
		message_print("%s already exists and is not changed; its "
			      "fingerprint is:",
			path);
		print_key(fingerprint);
	}
	buf_free(&problem);
	return OUTCOME_NO;
}

static enum outcome
make_key(const char *path, enum tls_key_type type)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	enum outcome outcome = OUTCOME_NO;
	struct buf problem = { 0 };

	if (key_create(path, type, fingerprint, &problem) == 0) {
		message_print("created the key %s", path);
		outcome =
			print_key(fingerprint) == 0 ? OUTCOME_DONE : OUTCOME_NO;
	} else if (errno == EEXIST) {
		outcome = show_existing(path);
	} else {
		message_print("%s", buf_str(&problem));
	}
	buf_free(&problem);
	return outcome;
}

/*
 * Append the path of the new key. The path is the argument of the command, or
 * else the default path. Create the directory of the default path. Return 0, or
 * -1 after printing a message.
 */
static int
find_place(const struct invocation *inv, struct buf *path)
{
	struct buf problem = { 0 };
	int result = 0;

	if (inv->nargs > 0)
		buf_adds(path, inv->args[0]);
	else if ((result = client_key_path(path, &problem)) == 0)
		result = config_dir_make(buf_str(path), &problem);
	if (result != 0)
		message_print("%s", buf_str(&problem));
	buf_free(&problem);
	return result;
}

static enum outcome
run(const struct invocation *inv)
{
	const char *type = inv->options.values[OPT_TYPE];
	bool ed25519 = type != NULL && strcmp(type, "ed25519") == 0;
	struct buf path = { 0 };
	enum outcome outcome = OUTCOME_NO;

	if (type != NULL && !ed25519 && strcmp(type, "p256") != 0) {
		message_print(
			"unknown key type '%s': use p256 or ed25519", type);
		return OUTCOME_USAGE;
	}
	if (find_place(inv, &path) == 0)
		outcome = make_key(buf_str(&path),
			ed25519 ? TLS_KEY_ED25519 : TLS_KEY_P256);
	buf_free(&path);
	return outcome;
}

const struct command cmd_keygen = { .name = "keygen",
	.args = "[FILE]",
	.help = "create a TLS key, and an entry for a host's clients",
	.examples = "keygen|the key in ~/.config/bridlectl\n"
		    "keygen ./backup.key|another key, for -i\n"
		    "keygen --type ed25519|\n",
	.options = OPT_BIT(OPT_TYPE),
	.args_max = 1,
	.takes = { { ARG_FILE, NULL } },
	.run = run };
