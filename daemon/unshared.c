#include "unshared.h"

#include <errno.h>
#include <sys/mman.h>

void *
unshared_map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	if (madvise(memory, size, MADV_DONTFORK) == 0)
		return memory;
	unshared_unmap(memory, size);
	return NULL;
}

void
unshared_unmap(void *memory, size_t size)
{
	int saved = errno;

	if (memory != NULL)
		munmap(memory, size);
	errno = saved;
}
