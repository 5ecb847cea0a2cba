#include "util/write_out.h"

#include "fd.h"
#include "util/message.h"

#include <errno.h>
#include <string.h>

int
write_out_buf(int fd, struct buf *out)
{
	if (!out->failed)
		return write_out(fd, out->data, out->len);
	message_print("cannot write the output: out of memory");
	return -1;
}

int
write_out(int fd, const char *data, size_t len)
{
	if (fd_write_all(fd, data, len) == 0)
		return 0;
	if (errno != EPIPE)
		message_print("cannot write the output: %s", strerror(errno));
	return -1;
}
