/*
 * Functions that make sure that the last reply of a connection arrives.
 */
#ifndef BRIDLE_LINGER_H
#define BRIDLE_LINGER_H

/*
 * Read and drop the rest of the input, for at most a second. Call this before
 * close(2): if input were unread, the kernel would send a reset. A reset
 * destroys a reply that the client has not read.
 */
void linger(int fd);

/*
 * Wait until the peer has acknowledged the reply, for at most a second. Call
 * this before the machine goes down, since the network goes down too.
 */
void linger_flush(int fd);

#endif
