/*
 * Functions that make sure that the last reply of a connection arrives.
 */
#ifndef BRIDLE_LINGER_H
#define BRIDLE_LINGER_H

/*
 * Read and drop the rest of the input, for at most a second. Call this function
 * before close(2), because close(2) sends a reset if some input is unread. A
 * reset destroys a reply that the client has not read.
 */
void linger(int fd);

/*
 * Wait until the peer has acknowledged the reply, for at most a second. Call
 * this function before the machine goes down, because the network goes down
 * too.
 */
void linger_flush(int fd);

#endif
