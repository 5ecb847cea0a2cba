#include "config/load_child.h"

#include "clock.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
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

#define BEGIN                                                              \
	"listen = ( { unix = \"/run/test.sock\"; group = \"root\"; } );\n" \
	"clients = ( { name = \"a\"; unix_user = \"root\"; allow = (); } );\n"

struct fixture {
	char dir[64];
	char path[80];
	char folder[80];
	char drop_in[96]; /* path of a file in `folder` */
	struct load_child load;
	struct account_files accounts;
	struct buf errors, warnings;
	struct settings *settings;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/bridle-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/conf", f->dir);
	snprintf(f->folder, sizeof(f->folder), "%s/conf.d", f->dir);
	snprintf(f->drop_in, sizeof(f->drop_in), "%s/b.conf", f->folder);
	f->load.fd = -1;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	load_child_end(&f->load);
	while (waitpid(-1, NULL, 0) > 0)
		;
	settings_free(f->settings);
	account_files_free(&f->accounts);
	buf_free(&f->errors);
	buf_free(&f->warnings);
	unlink(f->path);
	unlink(f->drop_in);
	rmdir(f->folder);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void
start(struct fixture *f, const char *text)
{
	write_file(f->path, text);
	load_child_start(&f->load, f->path, f->folder);
	assert_int_equal(f->load.state, LOAD_RUNNING);
}

static void
await(struct fixture *f)
{
	struct pollfd p = { .fd = f->load.fd, .events = POLLIN };

	while (f->load.state == LOAD_RUNNING) {
		assert_int_equal(poll(&p, 1, 20000), 1);
		load_child_read(&f->load);
	}
	assert_int_equal(f->load.state, LOAD_DONE);
}

static void
take(struct fixture *f)
{
	f->settings = load_child_take(
		&f->load, f->path, &f->accounts, &f->errors, &f->warnings);
	assert_int_equal(f->load.state, LOAD_NONE);
	assert_int_equal(f->load.fd, -1);
}

static void
test_good(void **state)
{
	struct fixture *f = *state;

	start(f, BEGIN "wall = (\"/no/such/program\");\n");
	await(f);
	take(f);
	assert_non_null(f->settings);
	assert_string_equal(f->settings->path, f->path);
	assert_int_equal(f->settings->listen[0].gid, 0);
	assert_int_equal(f->settings->clients[0].uid, 0);
	assert_int_equal(f->errors.len, 0);
	assert_non_null(strstr(buf_str(&f->warnings), "/no/such/program"));
	assert_true(account_files_has(&f->accounts, 0));
}

static void
test_folder(void **state)
{
	struct fixture *f = *state;

	mkdir(f->folder, 0700);
	write_file(f->drop_in,
		"listen = ( { tcp = \"127.0.0.1:7074\"; } );\n"
		"clients = (\n"
		" { name = \"b\"; unix_group = \"root\"; allow = ();"
		" until = \"2027-01-31\"; },\n"
		" { name = \"c\"; unix_group = \"root\"; allow = ();"
		" from = (\"127.0.0.1\"); } );\n");
	setenv("TZ", "UTC0", 1);
	start(f, BEGIN);
	setenv("TZ", "EST5", 1);
	await(f);
	take(f);
	unsetenv("TZ");
	assert_non_null(f->settings);
	assert_string_equal(f->settings->path, f->path);
	assert_int_equal(f->settings->nlisten, 2);
	assert_int_equal(f->settings->nclients, 3);
	assert_string_equal(f->settings->clients[0].file, f->path);
	assert_string_equal(f->settings->clients[1].name, "b");
	assert_string_equal(f->settings->clients[1].file, f->drop_in);
	assert_int_equal(f->settings->clients[1].line, 3);
	assert_int_equal(f->settings->clients[1].gid, 0);
	assert_int_equal(f->settings->clients[2].gid, 0);
	/*
	 * The child has used the time zone that was set when the child started.
	 */
	assert_int_equal(f->settings->clients[1].until, 1801440000);
	assert_int_equal(f->errors.len, 0);
}

/* Test that a file which cannot be read makes the whole load fail. */
static void
test_bad_folder(void **state)
{
	struct fixture *f = *state;

	mkdir(f->folder, 0700);
	write_file(f->drop_in, "");
	chmod(f->drop_in, 0622);
	start(f, BEGIN);
	await(f);
	take(f);
	assert_null(f->settings);
	assert_non_null(strstr(buf_str(&f->errors), f->drop_in));
	assert_non_null(strstr(buf_str(&f->errors), "written by others"));
}

static void
test_bad(void **state)
{
	struct fixture *f = *state;

	start(f, BEGIN "nonsense = 1;\n");
	await(f);
	take(f);
	assert_null(f->settings);
	assert_non_null(strstr(buf_str(&f->errors), "conf:3: nonsense"));
}

/*
 * Test a file with so many errors that the child's reply cannot hold them all.
 */
static void
test_many_mistakes(void **state)
{
	struct fixture *f = *state;
	struct buf text = { 0 };
	int i;

	buf_adds(&text, BEGIN);
	/*
	 * Fill the reply with only a few names, which are long. With many keys
	 * the check would be slow, because its time grows with the square of
	 * their number.
	 */
	for (i = 0; i < 400; i++)
		buf_addf(&text, "nonsense%0200d = 1;\n", i);
	start(f, buf_str(&text));
	buf_free(&text);
	await(f);
	take(f);
	assert_null(f->settings);
	assert_in_range(f->errors.len, 60000, 65536);
	assert_int_equal(f->errors.data[f->errors.len - 1], '\n');
}

static void
test_late(void **state)
{
	struct fixture *f = *state;
	int64_t now;

	start(f, BEGIN);
	kill(f->load.pid, SIGSTOP);
	now = clock_ms();
	assert_in_range(load_child_expire(&f->load, now), now, now + LOAD_MS);
	assert_int_equal(f->load.state, LOAD_RUNNING);
	load_child_expire(&f->load, now + LOAD_MS);
	assert_int_equal(f->load.state, LOAD_DONE);
	take(f);
	assert_null(f->settings);
	assert_non_null(strstr(buf_str(&f->errors), "within 10 seconds"));
}

static void
test_killed(void **state)
{
	struct fixture *f = *state;

	start(f, BEGIN);
	kill(f->load.pid, SIGKILL);
	await(f);
	/*
	 * If the child has replied before the signal, there is nothing to test.
	 */
	if (f->load.answer.len == 0) {
		take(f);
		assert_null(f->settings);
		assert_non_null(
			strstr(buf_str(&f->errors), "without an answer"));
	}
}

static void
test_cut_answers(void **state)
{
	struct fixture *f = *state;
	struct buf whole = { 0 };
	size_t len;

	start(f, BEGIN);
	await(f);
	buf_add(&whole, f->load.answer.data, f->load.answer.len);
	load_child_end(&f->load);
	for (len = 0; len < whole.len; len++) {
		buf_add(&f->load.answer, whole.data, len);
		f->load.state = LOAD_DONE;
		take(f);
		assert_null(f->settings);
	}
	buf_free(&whole);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_bad_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_many_mistakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_cut_answers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
