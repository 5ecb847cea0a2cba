/*
 * Descriptors: reading, writing, passing them on.
 */
#ifndef BRIDLE_FD_H
#define BRIDLE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Closes if it is not -1, and sets it to -1; errno is kept. */
void fd_close(int *fd);

/* 0, or -1 with errno. */
int fd_nonblock(int fd);

/*
 * Waits for poll(2)'s events until that time of clock_ms(). 0, or -1 with
 * errno; ETIMEDOUT if none came.
 */
int fd_wait(int fd, short events, int64_t deadline);

/* Writes all of it to a blocking descriptor; 0, or -1 with errno. */
int fd_write_all(int fd, const void *, size_t);

/*
 * Reads to the end of file, at most `max` bytes, into a NUL-terminated
 * buffer that the caller frees. NULL with errno; EFBIG if there is more.
 */
char *fd_read_all(int fd, size_t max, size_t *len);

/*
 * Sends one message on a SOCK_SEQPACKET socket, with the descriptor `pass`
 * unless that is -1. Never blocks, never raises SIGPIPE. 0, or -1 with errno.
 */
int fd_send(int sock, const void *head, size_t headlen, const void *body,
	size_t bodylen, int pass);

/*
 * Receives one message. With `passed` a single descriptor may come with it
 * (close-on-exec; *passed is -1 if none came); without, the kernel discards
 * whatever was attached. Returns its length; 0 at the end; -1 with errno,
 * EMSGSIZE if it was longer than size or held more than it may.
 */
ssize_t fd_recv(int sock, void *buf, size_t size, int flags, int *passed);

/* Points 0, 1 and 2 to /dev/null where they are closed; 0, or -1. */
int fd_std_open(void);

#endif
