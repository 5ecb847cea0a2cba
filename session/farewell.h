/*
 * The end of a connection, so that the last answer arrives.
 */
#ifndef BRIDLE_FAREWELL_H
#define BRIDLE_FAREWELL_H

/*
 * A close with unread input makes the kernel send a reset, which destroys the
 * answer on its way: so the rest is read first, for a second at most.
 */
void farewell_linger(int fd);

/*
 * A machine that goes down takes the network with it: waits until the answer
 * has been taken there, for a second at most.
 */
void farewell_flush(int fd);

#endif
