/*
 * A limit on the total memory of a process and its children. The counters lie
 * in shared memory, so that each of these processes can change them.
 */
#ifndef BRIDLE_BUDGET_H
#define BRIDLE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Number of bytes that each process may use without taking them from the
 * budget. A usual reply needs fewer bytes.
 */
#define BUDGET_FREE ((size_t)1 << 20)

struct budget {
	_Atomic int64_t left; /* bytes that no process has taken */
};

/* The number of bytes that one child has taken from the budget. */
struct budget_share {
	struct budget *budget;
	size_t most; /* maximum number of bytes that the child may use */
	_Atomic int64_t used; /* bytes taken from the budget */
};

/* Return a budget of `bytes` bytes. On failure, return NULL with errno set. */
struct budget *budget_open(size_t bytes);

/*
 * Take `bytes` from the budget for the parent process, except the first
 * BUDGET_FREE bytes. The parent never gives them back.
 */
void budget_keep(struct budget *, size_t bytes);

/* Free the budget. The caller must end all shares first. NULL is allowed. */
void budget_close(struct budget *);

/*
 * Return a share for one child, which may use at most `most` bytes. On failure,
 * return NULL with errno set.
 */
struct budget_share *budget_share_open(struct budget *, size_t most);

/*
 * True if the child may use `bytes` bytes in total. In this case, take the
 * missing bytes from the budget until budget_share_end(). Only the child calls
 * this function.
 */
bool budget_share_reach(struct budget_share *, size_t bytes);

/*
 * Give the bytes of the share back to the budget, and free the share. The
 * parent calls this function after the child has ended.
 */
void budget_share_end(struct budget_share *);

#endif
