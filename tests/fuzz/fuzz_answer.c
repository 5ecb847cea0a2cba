/*
 * What a worker hands to the one who started it. A worker that a host has
 * taken over may write anything: it is taken apart, or it is a failure, and
 * what was taken apart comes out the same when it is packed again.
 */
#include "answer.h"

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
pack_again(const struct answer *a)
{
	struct buf once = { 0 }, twice = { 0 };
	struct answer other = { 0 };

	answer_pack(a, &once);
	buf_add(&twice, once.data, once.len);
	answer_unpack(&other, twice.data, twice.len);
	must(other.fate == a->fate && other.reply.nrows == a->reply.nrows);
	buf_reset(&twice);
	answer_pack(&other, &twice);
	must(once.len == twice.len &&
		memcmp(once.data, twice.data, once.len) == 0);
	answer_free(&other);
	buf_free(&once);
	buf_free(&twice);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = malloc(size + 1);
	struct answer a = { 0 };

	must(bytes != NULL);
	memcpy(bytes, data, size);
	answer_unpack(&a, bytes, size);
	must(a.fate < FATES);
	must(a.problem.len > 0 || a.reply.code != 0);
	if (a.problem.len == 0)
		pack_again(&a);
	answer_free(&a);
	free(bytes);
	return 0;
}
