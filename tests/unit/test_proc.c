#include "action/proc.h"

#include "fd.h"
#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static int dir;

static int
set_up(void **state)
{
	(void)state;
	return (dir = proc_open()) == -1 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	fd_close(&dir);
	return 0;
}

/*
 * Start a child that has this name and runs until a signal kills the child.
 * Return the child's pid.
 */
static pid_t
start_named(const char *name)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		if (write(ready[1], "x", 1) == 1)
			for (;;)
				pause();
		_exit(1);
	}
	fd_close(&ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	fd_close(&ready[0]);
	return pid;
}

/*
 * Start a child that executes this file with this argv[0]. After the exec,
 * return the child's pid.
 */
static pid_t
start_program(const char *file, const char *argv0)
{
	struct buf cmdline = { 0 };
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(file, argv0, "1000", (char *)NULL);
		_exit(1);
	}
	fd_close(&ready[1]);
	/*
	 * This read waits for the exec, which closes the child's end of the
	 * pipe.
	 */
	assert_int_equal(read(ready[0], &byte, 1), 0);
	fd_close(&ready[0]);
	/* The kernel sets the arguments a moment after it closes the pipe. */
	for (int i = 0; i < 10000 && cmdline.len == 0; i++) {
		usleep(1000);
		proc_cmdline(dir, pid, &cmdline, 1);
	}
	buf_free(&cmdline);
	return pid;
}

static void
end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_ourselves(void **state)
{
	struct proc p;

	(void)state;
	memset(&p, 0xee, sizeof(p));
	assert_int_equal(proc_read(dir, getpid(), &p), 0);
	assert_int_equal(p.pid, getpid());
	assert_int_equal(p.ppid, getppid());
	assert_int_equal(p.uid, geteuid());
	assert_int_equal(p.state, 'R');
	assert_false(p.kernel);
	assert_in_range(p.rss_kib, 100, 100 * 1024 * 1024);
	assert_true(p.ticks > 0);
	assert_true(p.cpu_ms < 1000 * 1000);
}

/*
 * Test names that contain any bytes, or imitate the other fields in
 * /proc/PID/stat.
 */
static void
test_hostile_names(void **state)
{
	static const char *const names[] = { "x", "", " ", ") R 1 (", "a\nb",
		"\xff\xfe", "((()", ")))", "a#b%c", "-9", "\x1b[31m",
		"\xe4\xbd\xa0\xe5\xa5\xbd", "fifteen bytes..", ") (" };
	struct buf cmdline = { 0 };
	struct proc p;
	const char *name;
	size_t i, len;
	pid_t pid;

	(void)state;
	for (i = 0; i < LENGTH(names); i++) {
		pid = start_named(names[i]);
		assert_int_equal(proc_read(dir, pid, &p), 0);
		assert_int_equal(p.commlen, strlen(names[i]));
		assert_memory_equal(p.comm, names[i], p.commlen);
		assert_int_equal(p.ppid, getpid());
		assert_true(p.state == 'S' || p.state == 'R');
		proc_cmdline(dir, pid, &cmdline, 4096);
		name = proc_name(&p, &cmdline, &len);
		assert_int_equal(len, strlen(names[i]));
		assert_memory_equal(name, names[i], len);
		end(pid);
	}
	buf_free(&cmdline);
}

static void
test_ended(void **state)
{
	pid_t pid = start_named("doomed");
	struct buf cmdline = { 0 };
	struct proc p;
	siginfo_t si;

	(void)state;
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	/* A zombie still has a name, but has no command line. */
	assert_int_equal(proc_read(dir, pid, &p), 0);
	assert_int_equal(p.state, 'Z');
	assert_int_equal(p.commlen, 6);
	assert_memory_equal(p.comm, "doomed", 6);
	buf_adds(&cmdline, "of somebody else");
	proc_cmdline(dir, pid, &cmdline, 4096);
	assert_int_equal(cmdline.len, 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(proc_read(dir, pid, &p), -1);
	assert_true(errno == ENOENT || errno == ESRCH);
	proc_cmdline(dir, pid, &cmdline, 4096);
	assert_int_equal(cmdline.len, 0);
	buf_free(&cmdline);
}

static void
test_no_such(void **state)
{
	static const pid_t pids[] = { 0, -1, 2147483647, -2147483647 };
	struct proc p;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(pids); i++) {
		errno = 0;
		assert_int_equal(proc_read(dir, pids[i], &p), -1);
		assert_true(errno == ENOENT || errno == ESRCH);
	}
	assert_int_equal(proc_read(-1, 1, &p), -1);
}

static void
test_kernel_thread(void **state)
{
	struct buf cmdline = { 0 };
	struct proc p;

	(void)state;
	/* Skip this test in a container, which may have no kernel threads. */
	if (proc_read(dir, 2, &p) != 0 || p.commlen != 8 ||
		memcmp(p.comm, "kthreadd", 8) != 0)
		skip();
	assert_true(p.kernel);
	assert_int_equal(p.uid, 0);
	assert_int_equal(p.rss_kib, 0);
	assert_false(proc_name_is_cut(&p));
	proc_cmdline(dir, 2, &cmdline, 4096);
	assert_int_equal(cmdline.len, 0);
	buf_free(&cmdline);
}

static bool
is_among(const pid_t *pids, size_t n, pid_t pid)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static void
test_pids(void **state)
{
	pid_t *pids, child;
	size_t n, i;

	(void)state;
	child = start_named("here");
	assert_int_equal(proc_pids(dir, &pids, &n), 0);
	assert_true(is_among(pids, n, getpid()));
	assert_true(is_among(pids, n, child));
	for (i = 0; i < n; i++)
		assert_true(pids[i] > (i == 0 ? 0 : pids[i - 1]));
	free(pids);
	end(child);
	assert_int_equal(proc_pids(dir, &pids, &n), 0);
	assert_true(is_among(pids, n, getpid()));
	assert_false(is_among(pids, n, child));
	free(pids);
	assert_int_equal(proc_pids(-1, &pids, &n), -1);
	assert_null(pids);
}

static void
test_cmdline(void **state)
{
	pid_t pid = start_program("/bin/sleep", "an argv[0] of its own");
	struct buf b = { 0 };

	(void)state;
	buf_adds(&b, "what stood there");
	proc_cmdline(dir, pid, &b, 4096);
	assert_int_equal(b.len, 27);
	assert_memory_equal(b.data,
		"an argv[0] of its own\0"
		"1000",
		27);
	proc_cmdline(dir, pid, &b, 5);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.data, "an ar", 5);
	end(pid);
	buf_free(&b);
}

/* Test a process whose program has a name of more than 15 bytes. */
static void
test_long_name(void **state)
{
	char folder[] = "/tmp/bridle-proc-XXXXXX", file[96];
	struct buf cmdline = { 0 };
	struct proc p;
	const char *name;
	size_t len;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/a-name-of-more-than-15-bytes", folder);
	assert_int_equal(symlink("/bin/sleep", file), 0);
	pid = start_program(file, file);
	assert_int_equal(proc_read(dir, pid, &p), 0);
	assert_true(proc_name_is_cut(&p));
	proc_cmdline(dir, pid, &cmdline, 4096);
	name = proc_name(&p, &cmdline, &len);
	assert_int_equal(len, strlen("a-name-of-more-than-15-bytes"));
	assert_memory_equal(name, "a-name-of-more-than-15-bytes", len);
	end(pid);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(folder), 0);
	buf_free(&cmdline);
}

static void
test_names(void **state)
{
	static const struct {
		const char *comm;
		const char *cmdline;
		size_t len; /* length of `cmdline` */
		bool kernel;
		const char *name;
	} rows[] = {
#define ROW(comm, cmdline, kernel, name) \
	{ comm, cmdline, sizeof(cmdline) - 1, kernel, name }
		ROW("sh", "/bin/shell-of-a-kind", false, "sh"),
		ROW("123456789012345", "", false, "123456789012345"),
		ROW("123456789012345", "1234567890123456", false,
			"1234567890123456"),
		ROW("123456789012345", "1234567890123456\0-x", false,
			"1234567890123456"),
		ROW("123456789012345", "/a/1234567890123456789\0/b", false,
			"1234567890123456789"),
		ROW("123456789012345", "123456789012345", false,
			"123456789012345"),
		ROW("123456789012345", "12345678901234X6", false,
			"123456789012345"),
		ROW("123456789012345", "1234567890123456/", false,
			"123456789012345"),
		ROW("123456789012345", "x1234567890123456", false,
			"123456789012345"),
		ROW("123456789012345", "/usr/bin/python3\0001234567890123456",
			false, "123456789012345"),
		ROW("123456789012345", "\0001234567890123456", false,
			"123456789012345"),
		ROW("123456789012345", "1234567890123456", true,
			"123456789012345"),
		ROW("12345678901234", "123456789012345678", false,
			"12345678901234"),
		ROW("kworker/0:1-events", "kworker/0:1-events_long", true,
			"kworker/0:1-events"),
#undef ROW
	};
	struct buf cmdline = { 0 };
	struct proc p = { .pid = 1 };
	const char *name;
	size_t i, len;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		p.commlen = strlen(rows[i].comm);
		memcpy(p.comm, rows[i].comm, p.commlen);
		p.kernel = rows[i].kernel;
		buf_reset(&cmdline);
		buf_add(&cmdline, rows[i].cmdline, rows[i].len);
		name = proc_name(&p, &cmdline, &len);
		if (len != strlen(rows[i].name) ||
			memcmp(name, rows[i].name, len) != 0)
			fail_msg("row %zu is %.*s", i, (int)len, name);
	}
	buf_free(&cmdline);
}

/*
 * Test that a name from the command line is ignored if no file name can be so
 * long. A record could not hold such a name.
 */
static void
test_name_beyond_files(void **state)
{
	struct buf cmdline = { 0 };
	struct proc p = { .commlen = 15 };
	size_t len;
	int i;

	(void)state;
	memset(p.comm, 'x', 15);
	for (i = 0; i < 255; i++)
		buf_addc(&cmdline, 'x');
	proc_name(&p, &cmdline, &len);
	assert_int_equal(len, 255);
	buf_addc(&cmdline, 'x');
	proc_name(&p, &cmdline, &len);
	assert_int_equal(len, 15);
	buf_free(&cmdline);
}

static void
test_started(void **state)
{
	time_t before = time(NULL), after;
	struct proc child, first;
	pid_t pid = start_named("new");
	uint64_t started;

	(void)state;
	after = time(NULL);
	assert_int_equal(proc_read(dir, pid, &child), 0);
	started = proc_started(&child);
	/*
	 * The kernel counts hundredths of a second, but proc_started() rounds
	 * to seconds. Therefore `started` may be wrong by one second.
	 */
	assert_in_range(started, (uint64_t)before - 1, (uint64_t)after + 1);
	assert_int_equal(proc_read(dir, 1, &first), 0);
	assert_true(proc_started(&first) <= started);
	assert_true(first.ticks <= child.ticks);
	end(pid);
}

/*
 * Test that processes have different tokens, and that a request accepts these
 * tokens.
 */
static void
test_tokens(void **state)
{
	char boot[9], again[9], token[2][PROC_TOKEN_MAX], line[128];
	struct request_error e;
	struct request r;
	struct proc p;

	(void)state;
	assert_int_equal(proc_boot(boot), 0);
	assert_int_equal(strlen(boot), 8);
	assert_int_equal(proc_boot(again), 0);
	assert_string_equal(boot, again);
	assert_int_equal(proc_read(dir, getpid(), &p), 0);
	proc_token(&p, boot, token[0], sizeof(token[0]));
	p.ticks++;
	proc_token(&p, boot, token[1], sizeof(token[1]));
	assert_string_not_equal(token[0], token[1]);
	/*
	 * Two processes with the same pid and start time have different inodes,
	 * and so different tokens.
	 */
	p.inode = 7;
	proc_token(&p, boot, token[0], sizeof(token[0]));
	p.inode = 8;
	proc_token(&p, boot, token[1], sizeof(token[1]));
	assert_string_not_equal(token[0], token[1]);
	p.pid = 2147483647;
	p.inode = UINT64_MAX;
	proc_token(&p, boot, token[1], sizeof(token[1]));
	assert_string_equal(token[1] + strlen(token[1]) - 8, boot);
	snprintf(line, sizeof(line), "1#3#x#only=%s,%s", token[0], token[1]);
	assert_int_equal(request_parse(line, strlen(line), true, &r, &e), 0);
}

/*
 * Test that two processes have different inodes at pidfs. The kernel may use a
 * pid again, but not an inode.
 */
static void
test_inodes(void **state)
{
	pid_t pid[2];
	uint64_t inode[2];
	int fd, i;

	(void)state;
	fd = pidfd_open(getpid(), 0);
	if (fd == -1 && errno == ENOSYS)
		skip(); /* skip under valgrind, which lacks pidfd_open(2) */
	fd_close(&fd);
	pid[0] = start_named("one");
	pid[1] = start_named("two");
	for (i = 0; i < 2; i++) {
		fd = pidfd_open(pid[i], 0);
		assert_int_not_equal(fd, -1);
		inode[i] = proc_inode(fd);
		assert_true(inode[i] == proc_inode(fd));
		fd_close(&fd);
		end(pid[i]);
	}
	assert_int_equal(proc_inode(-1), 0);
	if (inode[0] == 0)
		skip(); /* skip on a kernel without pidfs */
	assert_true(inode[0] != inode[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ourselves),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_no_such),
		cmocka_unit_test(test_kernel_thread),
		cmocka_unit_test(test_pids),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_name_beyond_files),
		cmocka_unit_test(test_started),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_inodes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
