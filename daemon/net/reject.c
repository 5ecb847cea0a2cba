#include "net/reject.h"

#include "buf.h"
#include "clock.h"
#include "wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MS 1000

static void
drop(struct rejected *r, size_t i)
{
	close(r->v[i].fd);
	r->v[i] = r->v[--r->n];
}

void
reject(struct rejected *r, int fd, int code, const char *text)
{
	struct buf line = { 0 };

	wire_status(&line, code, text);
	wire_end(&line);
	if (line.failed ||
		send(fd, line.data, line.len, MSG_DONTWAIT | MSG_NOSIGNAL) <
			0 ||
		r->n == REJECT_MAX) {
		close(fd);
	} else {
		shutdown(fd, SHUT_WR);
		r->v[r->n].fd = fd;
		r->v[r->n++].deadline = clock_ms() + LINGER_MS;
	}
	buf_free(&line);
}

void
reject_read(struct rejected *r, int fd)
{
	char waste[4096];
	ssize_t n;
	size_t i;

	for (i = 0; i < r->n && r->v[i].fd != fd; i++)
		;
	if (i == r->n)
		return;
	n = recv(fd, waste, sizeof(waste), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		drop(r, i);
}

int64_t
reject_expire(struct rejected *r, int64_t now)
{
	int64_t next = CLOCK_NEVER;
	size_t i = 0;

	while (i < r->n) {
		if (now >= r->v[i].deadline)
			drop(r, i);
		else
			next = clock_earlier(next, r->v[i++].deadline);
	}
	return next;
}

void
reject_close(struct rejected *r)
{
	while (r->n > 0)
		drop(r, 0);
}
