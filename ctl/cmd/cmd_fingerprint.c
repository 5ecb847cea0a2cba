#include "cmd/commands.h"
#include "output/render.h"
#include "remote/client_key.h"
#include "remote/key_create.h"
#include "util/config_dir.h"
#include "util/message.h"
#include "util/prompt.h"

#include <errno.h>

static enum outcome
print(const char *fingerprint)
{
	return render_line("%s", fingerprint) == 0 ? OUTCOME_DONE : OUTCOME_NO;
}

/* Print that the key is missing. On a terminal, offer to create the key. */
static enum outcome
offer_key(const char *path, struct buf *problem)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];

	message_print("there is no key %s", path);
	if (!prompt_terminal()) {
		message_print("run 'bridlectl keygen' to create the key");
		return OUTCOME_NO;
	}
	if (!prompt_yes("Create this key now?")) {
		message_print("nothing was changed");
		return OUTCOME_NO;
	}
	if (config_dir_make(path, problem) == 0 &&
		key_create(path, TLS_KEY_P256, fingerprint, problem) == 0)
		return print(fingerprint);
	message_print("%s", buf_str(problem));
	return OUTCOME_NO;
}

static enum outcome
show(const char *path, bool named)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf problem = { 0 }, old = { 0 };
	enum outcome outcome = OUTCOME_NO;

	if (key_create_read(path, fingerprint, &problem) == 0) {
		outcome = print(fingerprint);
	} else if (errno != ENOENT || named) {
		message_print("%s", buf_str(&problem));
	} else if (config_dir_check_old(&old) != 0) {
		message_print("%s", buf_str(&old));
	} else {
		buf_reset(&problem);
		outcome = offer_key(path, &problem);
	}
	buf_free(&problem);
	buf_free(&old);
	return outcome;
}

static enum outcome
run(const struct invocation *inv)
{
	struct buf path = { 0 }, problem = { 0 };
	enum outcome outcome = OUTCOME_NO;

	if (inv->nargs > 0)
		outcome = show(inv->args[0], true);
	else if (client_key_path(&path, &problem) == 0)
		outcome = show(buf_str(&path), false);
	else
		message_print("%s", buf_str(&problem));
	buf_free(&path);
	buf_free(&problem);
	return outcome;
}

const struct command cmd_fingerprint = { .name = "fingerprint",
	.args = "[FILE]",
	.help = "print the fingerprint of your key",
	.examples = "fingerprint|for 'bridlectl admit' on a host\n"
		    "fingerprint ./backup.key|the key in a file\n",
	.args_max = 1,
	.takes = { { ARG_FILE, NULL } },
	.run = run };
