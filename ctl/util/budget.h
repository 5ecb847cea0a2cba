/*
 * A limit on the total memory of a process and its children. The counters are
 * in shared memory, so that the process and its children can change the
 * counters.
 */
#ifndef BRIDLE_BUDGET_H
#define BRIDLE_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Number of bytes that each process may use without taking bytes from the
 * budget. A usual reply needs fewer bytes.
 */
#define BUDGET_FREE ((size_t)1 << 20)

struct budget {
	_Atomic int64_t left; /* number of bytes that no process has taken */
};

/* The number of bytes that one child has taken from the budget. */
struct budget_share {
	struct budget *budget;
	size_t most; /* maximum number of bytes that the child may use */
	/* number of bytes that the child has taken from the budget */
	_Atomic int64_t used;
};

/* Return a budget of `bytes` bytes. On failure, return NULL with errno set. */
struct budget *budget_open(size_t bytes);

/*
 * Take `bytes` bytes from the budget for the parent process. The first
 * BUDGET_FREE bytes do not count. The parent never gives the bytes back.
 */
void budget_keep(struct budget *, size_t bytes);

/*
 * Free the budget. The caller must first call budget_share_end() for all
 * shares. NULL is allowed.
 */
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
