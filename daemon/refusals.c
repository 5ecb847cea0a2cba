#include "refusals.h"

#include "buf.h"
#include "clock.h"
#include "wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MS 1000

static void
drop(struct refusals *r, size_t i)
{
	close(r->v[i].fd);
	r->v[i] = r->v[--r->n];
}

void
refusals_add(struct refusals *r, int fd, int code, const char *text)
{
	struct buf line = { 0 };

	wire_status(&line, code, text);
	wire_end(&line);
	if (line.failed ||
		send(fd, line.data, line.len, MSG_DONTWAIT | MSG_NOSIGNAL) <
			0 ||
		r->n == REFUSALS_MAX) {
		close(fd);
	} else {
		shutdown(fd, SHUT_WR);
		r->v[r->n].fd = fd;
		r->v[r->n++].deadline = clock_ms() + LINGER_MS;
	}
	buf_free(&line);
}

void
refusals_read(struct refusals *r, int fd)
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

void
refusals_expire(struct refusals *r, int64_t now)
{
	size_t i = 0;

	while (i < r->n) {
		if (now >= r->v[i].deadline)
			drop(r, i);
		else
			i++;
	}
}

int64_t
refusals_deadline(const struct refusals *r)
{
	int64_t first = CLOCK_NEVER;
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->v[i].deadline < first)
			first = r->v[i].deadline;
	return first;
}

void
refusals_close(struct refusals *r)
{
	while (r->n > 0)
		drop(r, 0);
}
