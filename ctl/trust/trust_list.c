#include "trust/trust_list.h"

#include "fd.h"
#include "hosts/target.h"
#include "tls.h"
#include "util/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_LIMIT (1024 * 1024)
#define BLANKS " \t\r"

/*
 * Store the key of a host. Returns 0, or -1 with a sentence appended to
 * problem.
 */
static int
add(struct trust_list *list, const char *host, char *key, struct buf *problem)
{
	struct buf address = { 0 };
	struct target t;
	int added = -1;

	if (target_parse(host, &t, problem) != 0)
		return -1;
	if (t.kind != TARGET_TLS)
		return problem_add(problem, "'%s' does not use TLS", host);
	if (!tls_fingerprint_valid(key))
		return problem_add(problem,
			"'%s' is no fingerprint; use \"SHA256:\" and 43 "
			"characters of base64",
			key);
	target_address(&t, &address);
	if (!address.failed)
		added = string_map_add(
			&list->addresses, buf_str(&address), list->n);
	if (added == 0)
		problem_add(problem, "%s is already in an earlier line",
			buf_str(&address));
	else if (added < 0)
		problem_add(problem, "out of memory");
	else
		list->keys[list->n++] = key;
	buf_free(&address);
	return added > 0 ? 0 : -1;
}

/*
 * Read one line, which is overwritten. Returns 0, or -1 with a sentence
 * appended to problem.
 */
static int
take_line(struct trust_list *list, char *line, struct buf *problem)
{
	char *host, *key, *rest;

	host = strtok_r(line, BLANKS, &rest);
	if (host == NULL || *host == '#')
		return 0;
	key = strtok_r(NULL, BLANKS, &rest);
	if (key == NULL || strtok_r(NULL, BLANKS, &rest) != NULL)
		return problem_add(
			problem, "a line must have a host and a fingerprint");
	return add(list, host, key, problem);
}

static int
take_lines(struct trust_list *list, struct buf *problem)
{
	char *rest = list->text, *line;
	struct buf why = { 0 };
	unsigned number = 0;
	int result = 0;

	while (result == 0 && (line = strsep(&rest, "\n")) != NULL) {
		number++;
		result = take_line(list, line, &why);
	}
	if (result != 0)
		buf_addf(problem, "%s:%u: %s", list->name, number,
			buf_str(&why));
	buf_free(&why);
	return result;
}

static size_t
count_lines(const char *text)
{
	size_t n = 1;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

int
trust_list_read(struct trust_list *list, const char *path, struct buf *problem)
{
	bool in = strcmp(path, "-") == 0;
	int fd, result = -1;
	size_t len;

	memset(list, 0, sizeof(*list));
	list->name = in ? "stdin" : path;
	fd = in ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1 ||
		(list->text = fd_read_all(fd, SIZE_LIMIT, &len)) == NULL)
		buf_addf(problem, "%s: %s", list->name, strerror(errno));
	else if (memchr(list->text, '\0', len) != NULL)
		buf_addf(problem, "%s has a NUL byte", list->name);
	else if ((list->keys = calloc(count_lines(list->text),
			  sizeof(list->keys[0]))) == NULL)
		buf_adds(problem, "out of memory");
	else
		result = take_lines(list, problem);
	fd_close(&fd);
	return result;
}

const char *
trust_list_find(const struct trust_list *list, const char *address)
{
	size_t i;

	return string_map_find(&list->addresses, address, &i) ? list->keys[i]
							      : NULL;
}

void
trust_list_free(struct trust_list *list)
{
	string_map_free(&list->addresses);
	free(list->keys);
	free(list->text);
	memset(list, 0, sizeof(*list));
}
