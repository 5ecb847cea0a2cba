#include "conf_files.h"

#include "conf.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
	char dir[64];
	char main[80];
	char folder[80];
	char path[160]; /* result of path_of() */
	struct conf_files files;
	struct buf errors;
};

static const char *
path_of(struct fixture *f, const char *name)
{
	snprintf(f->path, sizeof(f->path), "%s/%s", f->folder, name);
	return f->path;
}

static void
write_file(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(write(fd, text, len) == (ssize_t)len);
	close(fd);
}

static void
add(struct fixture *f, const char *name, const char *text)
{
	write_file(path_of(f, name), text, strlen(text));
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/bridle-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->main, sizeof(f->main), "%s/conf", f->dir);
	snprintf(f->folder, sizeof(f->folder), "%s/conf.d", f->dir);
	write_file(f->main, "main", 4);
	mkdir(f->folder, 0700);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	struct buf command = { 0 };

	conf_files_free(&f->files);
	buf_free(&f->errors);
	buf_addf(&command, "rm -r -- %s", f->dir);
	assert_int_equal(system(buf_str(&command)), 0);
	buf_free(&command);
	free(f);
	return 0;
}

static int
read_all(struct fixture *f)
{
	int result = conf_files_read(&f->files, f->main, f->folder, &f->errors);

	buf_str(&f->errors);
	assert_int_equal(result == 0, f->errors.len == 0);
	return result;
}

static void
expect_error(struct fixture *f, const char *text)
{
	assert_int_equal(read_all(f), -1);
	if (strstr(f->errors.data, text) == NULL)
		fail_msg("\"%s\" is not in: %s", text, f->errors.data);
}

static void
test_folder_path(void **state)
{
	char *path;

	(void)state;
	path = conf_files_folder("/etc/bridle/bridled.conf");
	assert_string_equal(path, "/etc/bridle/conf.d");
	free(path);
	path = conf_files_folder("/bridled.conf");
	assert_string_equal(path, "/conf.d");
	free(path);
	path = conf_files_folder("bridled.conf");
	assert_string_equal(path, "conf.d");
	free(path);
}

/* Test the order of the files. Files with other names must be ignored. */
static void
test_names(void **state)
{
	static const char *const ignored[] = { ".hidden.conf", "a.conf~",
		"a.conf.dpkg-new", "README", ".conf", "conf" };
	static const char *const wanted[] = { "10-b.conf", "2-a.conf", "B.conf",
		"a.conf", "\xc3\xa9.conf" };
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		add(f, ignored[i], "no");
	for (i = sizeof(wanted) / sizeof(*wanted); i > 0; i--)
		add(f, wanted[i - 1], wanted[i - 1]);
	assert_int_equal(read_all(f), 0);
	assert_int_equal(f->files.n, 6);
	assert_string_equal(f->files.v[0].name, f->main);
	assert_string_equal(f->files.v[0].text, "main");
	for (i = 0; i < 5; i++) {
		assert_string_equal(
			f->files.v[i + 1].name, path_of(f, wanted[i]));
		assert_string_equal(f->files.v[i + 1].text, wanted[i]);
	}
}

static void
test_no_folder(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(read_all(f), 0);
	assert_int_equal(f->files.n, 1);
	conf_files_free(&f->files);
	rmdir(f->folder);
	assert_int_equal(read_all(f), 0);
	assert_int_equal(f->files.n, 1);
	conf_files_free(&f->files);
	write_file(f->folder, "", 0);
	expect_error(f, "conf.d: Not a directory");
}

#define REMOVED 300

static const char *
numbered(struct fixture *f, int i)
{
	char name[32];

	snprintf(name, sizeof(name), "%03d.conf", i);
	return path_of(f, name);
}

/*
 * Read the folder while a child process removes all its files, from the last to
 * the first. Return the number of reads that found some of the files.
 */
static int
read_while_removed(struct fixture *f)
{
	int i, partial = 0;
	size_t n;
	pid_t pid;

	for (i = 0; i < REMOVED; i++)
		write_file(numbered(f, i), "text", 4);
	if ((pid = fork()) == 0) {
		for (i = REMOVED; i > 0; i--)
			unlink(numbered(f, i - 1));
		_exit(0);
	}
	assert_true(pid > 0);
	do {
		assert_int_equal(read_all(f), 0);
		n = f->files.n;
		partial += n > 1 && n <= REMOVED;
		conf_files_free(&f->files);
	} while (n > 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return partial;
}

/* Test that a file which is removed during the read is no error. */
static void
test_removed(void **state)
{
	struct fixture *f = *state;
	int i, partial = 0;

	for (i = 0; i < 100 && partial < 10; i++)
		partial += read_while_removed(f);
	assert_true(partial > 0);
}

/*
 * Test that each file of the folder is checked in the same way as the
 * configuration file. An error must not hide other errors.
 */
static void
test_bad_files(void **state)
{
	struct fixture *f = *state;

	add(f, "good.conf", "good");
	assert_int_equal(mkfifo(path_of(f, "a.conf"), 0600), 0);
	assert_int_equal(symlink("/dev/zero", path_of(f, "b.conf")), 0);
	assert_int_equal(symlink("nothing", path_of(f, "c.conf")), 0);
	assert_int_equal(mkdir(path_of(f, "d.conf"), 0700), 0);
	add(f, "e.conf", "e");
	assert_int_equal(chmod(path_of(f, "e.conf"), 0602), 0);
	expect_error(f, "a.conf: is not a regular file\n");
	assert_non_null(strstr(f->errors.data, "b.conf: is not a regular"));
	assert_non_null(strstr(f->errors.data, "c.conf: cannot be opened"));
	assert_non_null(strstr(f->errors.data, "d.conf: is not a regular"));
	assert_non_null(strstr(f->errors.data, "e.conf may be written"));
	assert_int_equal(f->files.n, 2);
	assert_string_equal(f->files.v[1].text, "good");
}

static void
test_folder_of_others(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(chmod(f->folder, 0777), 0);
	expect_error(f, "conf.d may be written by others");
	assert_int_equal(f->files.n, 1);
}

/* Test that the total size of all files has a maximum. */
static void
test_size(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(CONF_SIZE_MAX);

	memset(text, ' ', CONF_SIZE_MAX);
	write_file(path_of(f, "a.conf"), text, CONF_SIZE_MAX / 2);
	write_file(path_of(f, "b.conf"), text, CONF_SIZE_MAX / 2 - 4);
	assert_int_equal(read_all(f), 0);
	assert_int_equal(f->files.n, 3);
	conf_files_free(&f->files);
	write_file(path_of(f, "b.conf"), text, CONF_SIZE_MAX / 2 - 3);
	expect_error(f, "b.conf: makes the whole configuration larger");
	free(text);
}

static void
test_too_many(void **state)
{
	struct fixture *f = *state;
	char name[32];
	int i;

	for (i = 0; i <= CONF_FILES_MAX; i++) {
		snprintf(name, sizeof(name), "%d.conf", i);
		add(f, name, "");
	}
	expect_error(f, "conf.d: has too many files");
}

static void
test_is_drop_in(void **state)
{
	(void)state;
	assert_true(conf_files_is_drop_in("/etc/bridle/conf.d/a.conf"));
	assert_true(conf_files_is_drop_in("conf.d/a.conf"));
	assert_true(conf_files_is_drop_in("/conf.d/a.conf"));
	assert_false(conf_files_is_drop_in("/etc/bridle/xconf.d/a.conf"));
	assert_false(conf_files_is_drop_in("xconf.d/a.conf"));
	assert_false(conf_files_is_drop_in("/etc/bridle/conf.d/.a.conf"));
	assert_false(conf_files_is_drop_in("/etc/bridle/conf.d/a.txt"));
	assert_false(conf_files_is_drop_in("/etc/bridle/bridled.conf"));
	assert_false(conf_files_is_drop_in("a.conf"));
}

/*
 * Read the files, and read a copy in place of the file `name`. Return the texts
 * of all files that were read.
 */
static const char *
read_with(struct fixture *f, const char *name)
{
	static char texts[64];
	char other[80];
	struct conf_stand_in stand_in = { path_of(f, name), other };
	size_t i;

	snprintf(other, sizeof(other), "%s/copy", f->dir);
	write_file(other, "copy", 4);
	assert_int_equal(conf_files_read_with(&f->files, f->main, f->folder,
				 &stand_in, &f->errors),
		0);
	*texts = '\0';
	for (i = 0; i < f->files.n; i++) {
		strcat(texts, f->files.v[i].text);
		strcat(texts, " ");
		if (strcmp(f->files.v[i].text, "copy") == 0)
			assert_string_equal(f->files.v[i].name, stand_in.name);
	}
	conf_files_free(&f->files);
	return texts;
}

static void
test_stand_in(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(read_with(f, "m.conf"), "main copy ");
	add(f, "b.conf", "b");
	add(f, "d.conf", "d");
	assert_string_equal(read_with(f, "a.conf"), "main copy b d ");
	assert_string_equal(read_with(f, "c.conf"), "main b copy d ");
	assert_string_equal(read_with(f, "d.conf"), "main b copy ");
	assert_string_equal(read_with(f, "e.conf"), "main b d copy ");
	/* A stand-in also replaces a file that cannot be read, here a FIFO. */
	assert_int_equal(mkfifo(path_of(f, "a.conf"), 0600), 0);
	assert_string_equal(read_with(f, "a.conf"), "main copy b d ");
}

static void
test_pack(void **state)
{
	struct conf_files copy;
	struct fixture *f = *state;
	struct buf packed = { 0 };
	size_t len;

	add(f, "a.conf", "");
	add(f, "b.conf", "b");
	assert_int_equal(read_all(f), 0);
	conf_files_pack(&f->files, &packed);
	for (len = 0; len < packed.len; len++) {
		/*
		 * A packed text of complete files is valid, even if the last
		 * files are missing.
		 */
		if (conf_files_unpack(&copy, packed.data, len) == 0)
			assert_true(copy.n < 3);
		conf_files_free(&copy);
	}
	assert_int_equal(conf_files_unpack(&copy, packed.data, packed.len), 0);
	assert_int_equal(copy.n, 3);
	assert_string_equal(copy.v[0].text, "main");
	assert_string_equal(copy.v[1].text, "");
	assert_string_equal(copy.v[2].name, f->files.v[2].name);
	conf_files_free(&copy);
	buf_free(&packed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder_path),
		cmocka_unit_test_setup_teardown(test_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_no_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_removed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_bad_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_folder_of_others, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_size, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_too_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pack, set_up, tear_down),
		cmocka_unit_test(test_is_drop_in),
		cmocka_unit_test_setup_teardown(
			test_stand_in, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
