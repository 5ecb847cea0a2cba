/*
 * The fork server's heap, which each session inherits copy-on-write.
 */
#ifndef BRIDLE_HEAP_H
#define BRIDLE_HEAP_H

/*
 * Return free memory to the kernel, and fill the holes between used blocks. A
 * session then allocates on fresh pages. Otherwise, a session would use the
 * many holes that OpenSSL leaves. The 13 KiB of a session would be spread over
 * 60 pages, and the kernel would copy each page.
 */
void heap_seal(void);

#endif
