/* Functions that read from, write to, wait for, and send file descriptors. */
#ifndef BRIDLE_FD_H
#define BRIDLE_FD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Close the descriptor *fd unless *fd is -1, and set *fd to -1. Leave errno
 * unchanged.
 */
void fd_close(int *fd);

/* Make the descriptor non-blocking. Return 0, or -1 with errno. */
int fd_nonblock(int fd);

/*
 * Wait for events of poll(2) until a deadline in the time of clock_ms(). Return
 * 0, or -1 with errno, which is ETIMEDOUT if no event came.
 */
int fd_wait(int fd, short events, int64_t deadline);

/* Write all bytes to a blocking descriptor. Return 0, or -1 with errno. */
int fd_write_all(int fd, const void *, size_t);

/*
 * Read the file from its present position to its end. Return a NUL-terminated
 * buffer that the caller frees, and set *len to the number of bytes. After an
 * error, return NULL with errno. EFBIG means that there are more than `max`
 * bytes.
 */
char *fd_read_all(int fd, size_t max, size_t *len);

/*
 * Send one message on a SOCK_SEQPACKET socket, with the descriptor `pass`
 * unless `pass` is -1. This function never blocks and never raises SIGPIPE.
 * Return 0, or -1 with errno.
 */
int fd_send(int sock, const void *head, size_t headlen, const void *body,
	size_t bodylen, int pass);

/*
 * Receive one message, with the flags of recvmsg(2). Set *passed to the
 * descriptor that the message carries, or to -1. This descriptor is
 * close-on-exec. If `passed` is NULL, the kernel closes the descriptors of the
 * message. Return the length of the message, or 0 at the end of file. Return -1
 * with errno after an error. EMSGSIZE means that the message was longer than
 * `size`, or had more than one descriptor.
 */
ssize_t fd_recv(int sock, void *buf, size_t size, int flags, int *passed);

/*
 * If a standard descriptor (0, 1 or 2) is closed, open /dev/null as this
 * descriptor. Otherwise a later open() could return this number. Standard
 * output is opened only for reading, so that a write to standard output still
 * fails. Return 0, or -1 with errno.
 */
int fd_std_open(void);

#endif
