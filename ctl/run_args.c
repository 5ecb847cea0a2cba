#include "run_args.h"

#include <string.h>

#define RUN_ARG_MAX 256 /* bytes: bridled takes no more */

int
run_args_take(struct request *r, char *const *args, struct buf *error)
{
	struct request_arg *arg;

	for (; *args != NULL; args++) {
		arg = &r->args[r->nargs++];
		arg->text = *args;
		arg->named = request_arg_name(*args, strlen(*args));
		if (strlen(*args) - (arg->named ? arg->named + 1 : 0) <=
			RUN_ARG_MAX)
			continue;
		buf_addf(error, "'%.20s...' has more than %d bytes", *args,
			RUN_ARG_MAX);
		return -1;
	}
	return 0;
}
