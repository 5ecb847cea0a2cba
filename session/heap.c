#include "heap.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define HOLE_MAX 65536 /* larger ones have pages of their own */
#define HOLE_STEP 16   /* what malloc(3) rounds to */

/* Fills a hole with what is never freed; false if there is none so large. */
static bool
fill(size_t size, uintptr_t top)
{
	void *volatile p = malloc(size);

	if (p == NULL)
		return false;
	if ((uintptr_t)p < top)
		return true;
	free(p);
	return false;
}

void
heap_seal(void)
{
	uintptr_t top;
	size_t size;

	malloc_trim(0);
	/* What is beyond all holes, and grows. */
	top = (uintptr_t)sbrk(0) - mallinfo2().keepcost;
	for (size = HOLE_MAX; size > 0; size -= HOLE_STEP)
		while (fill(size, top))
			;
	malloc_trim(0);
}
