/*
 * The fork server's heap, of which each session has a copy.
 */
#ifndef BRIDLE_HEAP_H
#define BRIDLE_HEAP_H

/*
 * Once all is set up: what was freed goes back to the kernel, and what is
 * allocated from here on stands in pages of its own. Between what is there, as
 * OpenSSL's setting up leaves it, a session would write to sixty pages for the
 * 13 KiB that it needs, and have a copy of each.
 */
void heap_seal(void);

#endif
