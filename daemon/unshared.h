/*
 * Memory that no process has which is forked later: the fork does not copy
 * it, and a session that was taken over finds nothing of the others' there.
 */
#ifndef BRIDLE_UNSHARED_H
#define BRIDLE_UNSHARED_H

#include <stddef.h>

/* Of zeroes; the caller's, to unmap. NULL with errno. */
void *unshared_map(size_t);

/* NULL is allowed; errno stays. */
void unshared_unmap(void *, size_t);

#endif
