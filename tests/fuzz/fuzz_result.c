/*
 * Fuzz target for the output of a worker process, which a hostile host may
 * control. If result_unpack() accepts the bytes, pack the result, unpack the
 * packed bytes, and pack again. Both packed forms must be the same.
 */
#include "fanout/result.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
pack_again(const struct result *a)
{
	struct buf once = { 0 }, twice = { 0 };
	struct result other = { 0 };

	result_pack(a, &once);
	buf_add(&twice, once.data, once.len);
	result_unpack(&other, twice.data, twice.len);
	must(other.result_kind == a->result_kind &&
		other.reply.table.nrows == a->reply.table.nrows);
	buf_reset(&twice);
	result_pack(&other, &twice);
	must(once.len == twice.len &&
		memcmp(once.data, twice.data, once.len) == 0);
	result_free(&other);
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size + 1);
	struct result a = { 0 };

	must(bytes != NULL);
	memcpy(bytes, data, size);
	result_unpack(&a, bytes, size);
	must(a.result_kind < RESULT_KINDS);
	must(a.problem.len > 0 || a.reply.code != 0);
	if (a.problem.len == 0)
		pack_again(&a);
	result_free(&a);
	free(bytes);
	return 0;
}
