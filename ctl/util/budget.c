#include "util/budget.h"

#include <sys/mman.h>

#define STEP ((size_t)64 * 1024)

static void *
map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/*
 * Return the number of bytes that count against the budget, if a process uses
 * `bytes` bytes. The number is rounded up to a multiple of STEP. The first
 * BUDGET_FREE bytes of a process do not count.
 */
static int64_t
cost(size_t bytes)
{
	if (bytes <= BUDGET_FREE)
		return 0;
	return (int64_t)((bytes - BUDGET_FREE + STEP - 1) / STEP * STEP);
}

struct budget *
budget_open(size_t bytes)
{
	struct budget *b = map(sizeof(*b));

	if (b != NULL)
		b->left = (int64_t)bytes;
	return b;
}

void
budget_keep(struct budget *b, size_t bytes)
{
	b->left -= cost(bytes);
}

void
budget_close(struct budget *b)
{
	if (b != NULL)
		munmap(b, sizeof(*b));
}

struct budget_share *
budget_share_open(struct budget *b, size_t most)
{
	struct budget_share *s = map(sizeof(*s));

	if (s != NULL) {
		s->budget = b;
		s->most = most;
	}
	return s;
}

bool
budget_share_reach(struct budget_share *s, size_t bytes)
{
	int64_t more = cost(bytes) - s->used;

	if (bytes > s->most)
		return false;
	if (more <= 0)
		return true;
	if (atomic_fetch_sub(&s->budget->left, more) < more) {
		s->budget->left += more;
		return false;
	}
	s->used += more;
	return true;
}

void
budget_share_end(struct budget_share *s)
{
	int64_t used = s->used;

	/*
	 * Ignore an impossible number, because a compromised child can write
	 * any number into `used`.
	 */
	if (used > 0 && used <= cost(s->most))
		s->budget->left += used;
	munmap(s, sizeof(*s));
}
