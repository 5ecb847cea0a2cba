#include "output.h"

#include "fd.h"
#include "notice.h"

#include <errno.h>
#include <string.h>

int
output_buf(int fd, struct buf *out)
{
	if (!out->failed)
		return output_write(fd, out->data, out->len);
	notice("no memory for the output");
	return -1;
}

int
output_write(int fd, const char *data, size_t len)
{
	if (fd_write_all(fd, data, len) == 0)
		return 0;
	if (errno != EPIPE)
		notice("cannot write the output: %s", strerror(errno));
	return -1;
}
