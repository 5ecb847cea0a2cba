#include "heap.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* bytes of the largest hole; larger blocks of malloc(3) come from mmap(2) */
#define HOLE_MAX 65536
/* malloc(3) rounds sizes to multiples of this number of bytes */
#define HOLE_STEP 16

/*
 * Fill a hole below the address `top` with a block that is never freed. Return
 * false if no hole has `size` bytes.
 */
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
	struct mallinfo2 heap;
	uintptr_t top;
	size_t size;

	malloc_trim(0);
	heap = mallinfo2();
	/* If a sanitizer has its own allocator, this heap stays empty. */
	if (heap.arena == 0)
		return;
	/*
	 * The holes lie below `top`. The free memory at the end of the heap
	 * lies above `top`.
	 */
	top = (uintptr_t)sbrk(0) - heap.keepcost;
	for (size = HOLE_MAX; size > 0; size -= HOLE_STEP)
		while (fill(size, top))
			;
	malloc_trim(0);
}
