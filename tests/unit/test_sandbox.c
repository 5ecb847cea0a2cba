#include "sys/sandbox.h"

#include "clock.h"
#include "fd.h"
#include "filter.h"
#include "fork_server.h"
#include "privdrop.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define SURVIVED 42

/*
 * The test makes these sockets and this memory before the fork. The daemon does
 * the same for a session.
 */
static int talk[2];
static int control[2];
static pid_t parent;
static void *page;

/* -- calls that an attacker might make in a compromised session ---------- */

static void
open_file(void)
{
	open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void
look_at_file(void)
{
	struct stat st;

	stat("/", &st);
}

static void
make_file(void)
{
	mkdir("/tmp", 0700);
}

static void
make_socket(void)
{
	socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void
make_descriptor(void)
{
	int pipes[2];

	if (pipe2(pipes, O_CLOEXEC) != 0)
		_exit(1);
}

static void
connect_elsewhere(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 1 };

	connect(talk[0], (struct sockaddr *)&in, sizeof(in));
}

/*
 * Call recvmsg(2), which could receive descriptors that a client on this
 * machine sends.
 */
static void
take_descriptor(void)
{
	struct msghdr msg = { .msg_flags = 0 };

	recvmsg(talk[0], &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
}

static void
give_descriptor(void)
{
	struct msghdr msg = { .msg_flags = 0 };

	sendmsg(talk[0], &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
send_elsewhere(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 1 };

	sendto(talk[0], "", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
		(struct sockaddr *)&in, sizeof(in));
}

static void
accept_client(void)
{
	accept4(talk[0], NULL, NULL, SOCK_CLOEXEC);
}

static void
start_process(void)
{
	if (_Fork() == 0)
		_exit(0);
}

/*
 * Try to start a process in the same way as the fork server. If the session
 * runs as root, the filter must kill the session. For other users this call
 * fails with EAGAIN. In this case make a forbidden call, so that the filter
 * kills the session.
 */
static void
start_session(void)
{
	if (syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL,
		    NULL) == -1 &&
		errno == EAGAIN)
		syscall(SYS_kill, parent, 0);
}

static void
limit_parent(void)
{
	static const struct rlimit none;

	prlimit(parent, RLIMIT_NPROC, &none, NULL);
}

/* Try to install another filter, which logs each system call. */
static void
filter_again(void)
{
	static struct sock_filter log[] = { { BPF_RET, 0, 0,
		SECCOMP_RET_LOG } };
	static const struct sock_fprog filter = { 1, log };

	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0);
}

static void *
idle(void *arg)
{
	return arg;
}

static void
start_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, idle, NULL);
}

static void
execute(void)
{
	execl("/bin/sh", "sh", "-c", "exit 42", (char *)NULL);
}

static void
trace(void)
{
	ptrace(PTRACE_ATTACH, parent, NULL, NULL);
}

static void
read_memory(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { page, 1 };

	process_vm_readv(parent, &here, 1, &there, 1, 0);
}

static void
signal_parent(void)
{
	kill(parent, 0);
}

static void
signal_itself(void)
{
	raise(SIGCONT);
}

static void
become_root(void)
{
	if (setuid(0) != 0)
		_exit(1);
}

static void
take_capabilities(void)
{
	syscall(SYS_capset, NULL, NULL);
}

static void
become_dumpable(void)
{
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void
outlive_parent(void)
{
	prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

static void
raise_limit(void)
{
	struct rlimit l = { 0, 0 };

	setrlimit(RLIMIT_NOFILE, &l);
}

static void
map_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		0);
}

static void
make_code(void)
{
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void
type_for_terminal(void)
{
	ioctl(talk[0], TIOCSTI, "x");
}

static void
wait_on_memory(void)
{
	struct timespec at_once = { 0, 0 };
	uint32_t word = 0;

	syscall(SYS_futex, &word, 0, 0, &at_once, NULL, 0);
}

static void
leave_namespaces(void)
{
	syscall(SYS_unshare, 0);
}

static void
set_up_ring(void)
{
	syscall(425, 0, NULL); /* number of io_uring_setup(2) */
}

static void
call_what_is_not(void)
{
	syscall(4000);
}

#ifdef __x86_64__
/* Make a system call through the x32 interface of the kernel. */
static void
call_x32(void)
{
	syscall(0x40000000 | SYS_getpid);
}
#endif

static const struct attempt {
	const char *what;
	void (*run)(void);
} attempts[] = {
	{ "open a file", open_file },
	{ "look at a file", look_at_file },
	{ "make a folder", make_file },
	{ "make a socket", make_socket },
	{ "make a pipe", make_descriptor },
	{ "connect", connect_elsewhere },
	{ "take a descriptor from its client", take_descriptor },
	{ "give one to its client", give_descriptor },
	{ "send elsewhere", send_elsewhere },
	{ "accept", accept_client },
	{ "fork", start_process },
	{ "fork as its server does", start_session },
	{ "start a thread", start_thread },
	{ "exec", execute },
	{ "ptrace", trace },
	{ "read the parent's memory", read_memory },
	{ "signal the parent", signal_parent },
	{ "signal itself", signal_itself },
	{ "become root", become_root },
	{ "take capabilities", take_capabilities },
	{ "become dumpable", become_dumpable },
	{ "outlive the parent", outlive_parent },
	{ "set a limit", raise_limit },
	{ "set one of the parent's", limit_parent },
	{ "have another filter", filter_again },
	{ "map code", map_code },
	{ "make code of data", make_code },
	{ "type for a terminal", type_for_terminal },
	{ "wait on memory", wait_on_memory },
	{ "leave its namespaces", leave_namespaces },
	{ "set up a ring", set_up_ring },
	{ "call what does not exist", call_what_is_not },
#ifdef __x86_64__
	{ "call by another ABI", call_x32 },
#endif
};

/* -- functions that start sessions ----------------------------------------- */

#define MEMORY ((size_t)256 << 20)

/*
 * Receive a descriptor, as a session receives descriptors from the fork server.
 */
static int
receive(void)
{
	char byte;
	int fd;

	if (fd_recv(FORK_SERVER_CONTROL, &byte, 1, 0, &fd) != 1 || fd == -1)
		_exit(1);
	return fd;
}

/*
 * Turn this process into a session, as a child of the fork server does. In this
 * test the process also receives the channel.
 */
static void
be_session(void)
{
	const char *what;

	if (dup2(control[1], FORK_SERVER_CONTROL) == -1 ||
		privdrop_begin() != 0 || privdrop_server(MEMORY, &what) != 0 ||
		receive() != FILTER_CHANNEL)
		_exit(1);
	talk[0] = receive();
	talk[1] = receive();
	close(FORK_SERVER_CONTROL);
	privdrop_session();
}

/*
 * Start a child that becomes a session and calls run(). If run() returns, the
 * child exits with SURVIVED. Return the child's pid.
 */
static pid_t
start(void (*run)(void))
{
	pid_t pid;

	assert_int_equal(fd_send(control[0], "", 1, NULL, 0, talk[1]), 0);
	assert_int_equal(fd_send(control[0], "", 1, NULL, 0, talk[0]), 0);
	assert_int_equal(fd_send(control[0], "", 1, NULL, 0, talk[1]), 0);
	pid = _Fork();
	assert_int_not_equal(pid, -1);
	if (pid != 0)
		return pid;
	be_session();
	run();
	_exit(SURVIVED);
}

static int
end(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/*
 * True if sessions have a filter. Sanitizers and valgrind need system calls
 * that the filter forbids. Therefore sessions have no filter under these tools;
 * see tests/local.mk.
 */
static bool
has_filter(void)
{
	const char *with = getenv("BRIDLE_FILTER");

	return with == NULL || strcmp(with, "no") != 0;
}

static void
need_filter(void)
{
	if (!has_filter())
		skip();
}

static int
set_up(void **state)
{
	const char *what;

	(void)state;
	parent = getpid();
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) != 0 ||
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			control) != 0)
		return -1;
	return has_filter() ? sandbox_parent(&what) : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	munmap(page, 4096);
	close(talk[0]);
	close(talk[1]);
	close(control[0]);
	close(control[1]);
	return 0;
}

/* -- tests ----------------------------------------------------------------- */

static void
test_all_else_kills_it(void **state)
{
	size_t i, escaped = 0;
	int status;

	(void)state;
	need_filter();
	for (i = 0; i < LENGTH(attempts); i++) {
		status = end(start(attempts[i].run));
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS &&
			!WCOREDUMP(status))
			continue;
		print_error("%s: status %#x\n", attempts[i].what, status);
		escaped++;
	}
	assert_int_equal(escaped, 0);
}

/*
 * If the condition is false, exit the child with a status that depends on the
 * line number.
 */
#define MUST(is)                                    \
	do                                          \
		if (!(is))                          \
			_exit(__LINE__ % 200 + 50); \
	while (0)

static void
use_sockets(void)
{
	char data[4] = "abc";
	struct iovec iov = { data, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct pollfd p = { talk[1], POLLIN, 0 };
	int n = -1;

	MUST(send(talk[0], data, 1, MSG_NOSIGNAL | MSG_DONTWAIT) == 1);
	MUST(writev(talk[0], &iov, 1) == 1);
	MUST(write(talk[0], data, 1) == 1);
	MUST(poll(&p, 1, 1000) == 1 && p.revents == POLLIN);
	MUST(ioctl(talk[1], FIONREAD, &n) == 0 && n == 3);
	MUST(ioctl(talk[0], SIOCOUTQ, &n) == 0 && n > 0);
	MUST(recvmsg(FILTER_CHANNEL, &msg, MSG_CMSG_CLOEXEC) == 1);
	MUST(sendmsg(FILTER_CHANNEL, &msg, MSG_NOSIGNAL) == 1);
	MUST(recv(talk[1], data, 1, 0) == 1);
	MUST(read(talk[1], data, sizeof(data)) == 1);
	MUST(shutdown(talk[0], SHUT_WR) == 0);
	MUST(read(talk[1], data, sizeof(data)) == 0);
	MUST(close(talk[0]) == 0);
}

static void
use_memory(void)
{
	static char *volatile blocks[80];
	char *more;
	size_t i;

	for (i = 0; i < LENGTH(blocks); i++) {
		MUST((blocks[i] = malloc(i * 4096 + 1)) != NULL);
		memset(blocks[i], 1, i * 4096 + 1);
	}
	for (i = 0; i < LENGTH(blocks); i++) {
		MUST((more = realloc(blocks[i], i * 16384 + 2)) != NULL);
		blocks[i] = more;
	}
	for (i = 0; i < LENGTH(blocks); i++)
		free(blocks[i]);
	/*
	 * A malloc() that is too large must fail, without killing the process.
	 */
	MUST(malloc((size_t)PTRDIFF_MAX / 4) == NULL && errno == ENOMEM);
	MUST(mprotect(page, 4096, PROT_READ) == 0);
}

/* Check that the memory of a session is limited. */
static void
use_all_memory(void)
{
	size_t taken = 0, piece = 16 << 20;

	while (taken < (size_t)1 << 30 &&
		mmap(NULL, piece, PROT_READ | PROT_WRITE,
			(taken % (2 * piece) ? MAP_SHARED : MAP_PRIVATE) |
				MAP_ANONYMOUS,
			-1, 0) != MAP_FAILED)
		taken += piece;
	MUST(taken > 0 && taken <= MEMORY);
}

/* Make the other allowed system calls, and read the clock without the vDSO. */
static void
use_the_rest(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct timespec ts;
	char random[16];

	MUST(clock_ms() > 0);
	MUST(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts) == 0);
	MUST(getpid() != parent);
	MUST(getrandom(random, sizeof(random), 0) == sizeof(random));
	MUST(pthread_once(&once, use_memory) == 0);
	MUST(poll(NULL, 0, 1) == 0);
	/* Standard output and standard error are closed in a session. */
	MUST(write(STDERR_FILENO, "", 1) == -1 && errno == EBADF);
	MUST(read(STDOUT_FILENO, random, 1) == -1 && errno == EBADF);
}

static void
work(void)
{
	use_sockets();
	use_memory();
	use_the_rest();
	use_all_memory();
}

static void
test_its_own_work_is_allowed(void **state)
{
	int status;

	(void)state;
	need_filter();
	status = end(start(work));
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SURVIVED);
}

static void
doze(void)
{
	MUST(poll(NULL, 0, 500) == 0);
}

static bool
sleeps(pid_t pid)
{
	char path[64], state = '?';
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	fclose(f);
	return state == 'S' || state == 'Z';
}

/*
 * Test that a session survives SIGSTOP and SIGCONT during poll(2). After
 * SIGCONT the kernel makes the call restart_syscall(2).
 */
static void
test_may_be_stopped_and_go_on(void **state)
{
	pid_t pid;
	int status;

	(void)state;
	need_filter();
	pid = start(doze);
	while (!sleeps(pid))
		poll(NULL, 0, 1);
	kill(pid, SIGSTOP);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	if (WIFSTOPPED(status)) {
		kill(pid, SIGCONT);
		status = end(pid);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SURVIVED);
}

/* Test that the filter of the sessions does not restrict the parent. */
static void
test_parent_is_free(void **state)
{
	int fd;

	(void)state;
	need_filter();
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(prctl(PR_GET_SECCOMP), 0);
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_else_kills_it),
		cmocka_unit_test(test_its_own_work_is_allowed),
		cmocka_unit_test(test_may_be_stopped_and_go_on),
		cmocka_unit_test(test_parent_is_free),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
