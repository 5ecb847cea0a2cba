#include "sys/account_files.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWD_FILE "/etc/passwd"
#define SUBUID_FILE "/etc/subuid"
#define LINE_MAX_BYTES 4096 /* maximum bytes of a line in these files */

/*
 * The beginning of the content: the numbers of the uids and ranges that follow.
 */
struct head {
	uint32_t nuids, nranges;
};

static int
compare_uids(const void *a, const void *b)
{
	uid_t x = *(const uid_t *)a, y = *(const uid_t *)b;

	return (x > y) - (x < y);
}

static uint32_t
read_passwd(struct buf *out)
{
	FILE *f = fopen(PASSWD_FILE, "re");
	struct passwd entry, *pw;
	char text[LINE_MAX_BYTES];
	uint32_t n = 0;

	while (f != NULL && n < ACCOUNT_FILES_UIDS &&
		fgetpwent_r(f, &entry, text, sizeof(text), &pw) == 0) {
		/*
		 * Skip a name that begins with "+" or "-", which refers to the
		 * name service (see nsswitch.conf(5)).
		 */
		if (strchr("+-", *pw->pw_name) != NULL)
			continue;
		buf_add(out, &pw->pw_uid, sizeof(pw->pw_uid));
		n++;
	}
	if (f != NULL)
		fclose(f);
	return n;
}

static uint32_t
read_subuid(struct buf *out)
{
	FILE *f = fopen(SUBUID_FILE, "re");
	struct account_range range;
	char line[LINE_MAX_BYTES];
	uint32_t n = 0;

	while (f != NULL && n < ACCOUNT_FILES_RANGES &&
		fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%*[^:]:%u:%u", &range.first, &range.n) != 2)
			continue;
		buf_add(out, &range, sizeof(range));
		n++;
	}
	if (f != NULL)
		fclose(f);
	return n;
}

void
account_files_read(struct buf *out)
{
	size_t start = out->len;
	struct head head = { 0 };

	buf_add(out, &head, sizeof(head));
	head.nuids = read_passwd(out);
	head.nranges = read_subuid(out);
	if (!out->failed)
		memcpy(out->data + start, &head, sizeof(head));
}

/*
 * Return a copy of the bytes. Return NULL if `len` is 0 or no memory is
 * available.
 */
static void *
copy(const char *bytes, size_t len)
{
	void *result = len > 0 ? malloc(len) : NULL;

	if (result != NULL)
		memcpy(result, bytes, len);
	return result;
}

void
account_files_take(struct account_files *f, const void *content, size_t len)
{
	const char *at = content;
	size_t uids, ranges;
	struct head head;

	if (len < sizeof(head))
		return;
	memcpy(&head, at, sizeof(head));
	at += sizeof(head);
	uids = (size_t)head.nuids * sizeof(*f->uids);
	ranges = (size_t)head.nranges * sizeof(*f->ranges);
	if (len != sizeof(head) + uids + ranges)
		return;
	account_files_free(f);
	if ((f->uids = copy(at, uids)) != NULL) {
		f->nuids = head.nuids;
		qsort(f->uids, f->nuids, sizeof(*f->uids), compare_uids);
	}
	if ((f->ranges = copy(at + uids, ranges)) != NULL)
		f->nranges = head.nranges;
}

bool
account_files_has(const struct account_files *f, uid_t uid)
{
	return f->nuids > 0 && bsearch(&uid, f->uids, f->nuids, sizeof(uid),
				       compare_uids) != NULL;
}

bool
account_files_subordinate(const struct account_files *f, uid_t uid)
{
	size_t i;

	for (i = 0; i < f->nranges; i++)
		if (uid >= f->ranges[i].first &&
			uid - f->ranges[i].first < f->ranges[i].n)
			return true;
	return false;
}

void
account_files_free(struct account_files *f)
{
	free(f->uids);
	free(f->ranges);
	*f = (struct account_files){ 0 };
}
