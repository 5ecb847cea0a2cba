/*
 * The fork server's heap, which each session inherits copy-on-write.
 */
#ifndef BRIDLE_HEAP_H
#define BRIDLE_HEAP_H

/*
 * Return free memory to the kernel, and fill the holes between used blocks. A
 * session then allocates on fresh pages. In the many holes that OpenSSL leaves,
 * a session would spread 13 KiB over 60 pages, and copy each page.
 */
void heap_seal(void);

#endif
