#include "filter.h"

#include "fork_server.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CODE_MAX 256

/*
 * The test of an argument by a rule. ANY allows any value, EQUAL allows the
 * value of the rule. WITHOUT allows an argument that has none of the value's
 * bits.
 */
enum test { ANY, EQUAL, WITHOUT };

struct rule {
	int call;
	enum test test;
	unsigned arg;
	uint64_t value;
};

/*
 * The system calls that a session needs, and OpenSSL in a handshake. Only
 * recvmsg(2) can give the process a new descriptor, so it is allowed only on
 * the channels to the parent. On a unix socket, a client could otherwise send
 * its own descriptors, such as a socket to the log. The session would then
 * write to this socket as the daemon's user. A session has closed the control
 * channel, and RLIMIT_NOFILE keeps other descriptors from using its number.
 * libseccomp skips a system call that the machine's architecture does not have.
 */
static const struct rule rules[] = {
	{ SCMP_SYS(read), ANY, 0, 0 },
	{ SCMP_SYS(write), ANY, 0, 0 },
	{ SCMP_SYS(writev), ANY, 0, 0 },
	{ SCMP_SYS(recvfrom), ANY, 0, 0 },
	{ SCMP_SYS(sendto), EQUAL, 4, 0 }, /* no destination address is given */
	{ SCMP_SYS(sendmsg), EQUAL, 0, FILTER_CHANNEL },
	{ SCMP_SYS(recvmsg), EQUAL, 0, FILTER_CHANNEL },
	{ SCMP_SYS(recvmsg), EQUAL, 0, FORK_SERVER_CONTROL },
	{ SCMP_SYS(poll), ANY, 0, 0 },
	{ SCMP_SYS(ppoll), ANY, 0, 0 },
	{ SCMP_SYS(shutdown), ANY, 0, 0 },
	{ SCMP_SYS(close), ANY, 0, 0 },
	/* For the number of unsent bytes, and of bytes to read. */
	{ SCMP_SYS(ioctl), EQUAL, 1, SIOCOUTQ },
	{ SCMP_SYS(ioctl), EQUAL, 1, FIONREAD },
	/* For malloc(3). No new memory becomes executable. */
	{ SCMP_SYS(brk), ANY, 0, 0 },
	{ SCMP_SYS(mmap), WITHOUT, 2, PROT_EXEC },
	{ SCMP_SYS(mprotect), WITHOUT, 2, PROT_EXEC },
	{ SCMP_SYS(munmap), ANY, 0, 0 },
	{ SCMP_SYS(mremap), ANY, 0, 0 },
	{ SCMP_SYS(madvise), ANY, 0, 0 },
	/* For machines on which the vDSO cannot read the clock. */
	{ SCMP_SYS(clock_gettime), ANY, 0, 0 },
	{ SCMP_SYS(gettimeofday), ANY, 0, 0 },
	{ SCMP_SYS(time), ANY, 0, 0 },
	/* For OpenSSL: fork detection, random numbers, pthread_once(3). */
	{ SCMP_SYS(getpid), ANY, 0, 0 },
	{ SCMP_SYS(getrandom), ANY, 0, 0 },
	{ SCMP_SYS(futex), EQUAL, 1, FUTEX_WAKE_PRIVATE },
	/* For a poll(2) that continues after the process was stopped. */
	{ SCMP_SYS(restart_syscall), ANY, 0, 0 },
	/* Only the fork server needs clone(2), to fork sessions. */
	{ SCMP_SYS(clone), EQUAL, 0, CLONE_PARENT | SIGCHLD },
	{ SCMP_SYS(exit_group), ANY, 0, 0 },
};

static struct sock_filter code[CODE_MAX];
static struct sock_fprog program = { 0, code };

static int
add_rule(scmp_filter_ctx ctx, const struct rule *r)
{
	struct scmp_arg_cmp cmp = { .arg = r->arg };

	if (r->test == EQUAL) {
		cmp.op = SCMP_CMP_EQ;
		cmp.datum_a = r->value;
	} else {
		cmp.op = SCMP_CMP_MASKED_EQ;
		cmp.datum_a = r->value;
		cmp.datum_b = 0;
	}
	return seccomp_rule_add_array(
		ctx, SCMP_ACT_ALLOW, r->call, r->test == ANY ? 0 : 1, &cmp);
}

/*
 * Allow the system call by which a session forbids its own forks. Return 0, or
 * a negative number on failure.
 */
static int
add_way_out(scmp_filter_ctx ctx, bool limited)
{
	struct scmp_arg_cmp own[] = { { 0, SCMP_CMP_EQ, 0, 0 },
		{ 1, SCMP_CMP_EQ, RLIMIT_NPROC, 0 } };
	struct scmp_arg_cmp filter = { 0, SCMP_CMP_EQ, PR_SET_SECCOMP, 0 };

	if (limited)
		return seccomp_rule_add_array(
			ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, own);
	return seccomp_rule_add_array(
		ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, &filter);
}

/*
 * Allow a session to set SIGKILL as its parent-death signal, and no other
 * signal. Return 0, or a negative number on failure.
 */
static int
add_end_with_daemon(scmp_filter_ctx ctx)
{
	struct scmp_arg_cmp killed[] = { { 0, SCMP_CMP_EQ, PR_SET_PDEATHSIG,
						 0 },
		{ 1, SCMP_CMP_EQ, SIGKILL, 0 } };

	return seccomp_rule_add_array(
		ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 2, killed);
}

/*
 * Return a filter that allows only system calls of the machine's own ABI, or
 * NULL on failure.
 */
static scmp_filter_ctx
make_filter(bool limited)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	size_t i;

	if (ctx == NULL)
		return NULL;
	if (seccomp_attr_set(
		    ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0)
		goto fail;
	for (i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (add_rule(ctx, &rules[i]) != 0)
			goto fail;
	if (add_way_out(ctx, limited) != 0 || add_end_with_daemon(ctx) != 0)
		goto fail;
	return ctx;
fail:
	seccomp_release(ctx);
	return NULL;
}

/*
 * Copy the filter's program to `to` through a pipe, whose buffer holds at least
 * one page. Return the number of bytes, or -1 on failure.
 */
static ssize_t
export_filter(scmp_filter_ctx ctx, void *to, size_t size)
{
	ssize_t n = -1;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0)
		return -1;
	if (seccomp_export_bpf(ctx, fds[1]) == 0)
		n = read(fds[0], to, size);
	close(fds[0]);
	close(fds[1]);
	return n;
}

/*
 * Return 0 if the kernel has the filter action that kills the process,
 * otherwise -1 with errno. Without this action, no session could start.
 */
static int
kernel_can_kill(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

int
filter_build(bool limited)
{
	/*
	 * The kernel runs a new filter once for each system call number, to
	 * find calls that are always allowed. Such a run ends when the filter
	 * loads an argument. Therefore the first instruction loads an argument:
	 * the filter is then installed in less than half the time. A session
	 * ends too soon to benefit from the kernel's result.
	 */
	static const struct sock_filter look =
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, args[0]));
	const size_t room = sizeof(code) - sizeof(look);
	scmp_filter_ctx ctx;
	ssize_t n;

	if (kernel_can_kill() != 0)
		return -1;
	if ((ctx = make_filter(limited)) == NULL) {
		errno = ENOMEM;
		return -1;
	}
	n = export_filter(ctx, code + 1, room);
	seccomp_release(ctx);
	if (n <= 0 || (size_t)n == room) {
		errno = EIO;
		return -1;
	}
	code[0] = look;
	program.len = (unsigned short)(1 + (size_t)n / sizeof(code[0]));
	return 0;
}

/*
 * Replace standard output and error by the descriptor `inert`. Both may be a
 * terminal or the log, where a session could forge lines. Do not close them,
 * because a later descriptor would get their numbers.
 */
static int
close_standard(int inert)
{
	if (dup2(inert, STDOUT_FILENO) == -1 ||
		dup2(inert, STDERR_FILENO) == -1)
		return -1;
	return close(inert);
}

static int
limit_memory(rlim_t most)
{
	struct rlimit memory;

	if (getrlimit(RLIMIT_AS, &memory) != 0)
		return -1;
	if (memory.rlim_max > most)
		memory.rlim_max = most;
	memory.rlim_cur = memory.rlim_max;
	return setrlimit(RLIMIT_AS, &memory);
}

int
filter_install(int inert, size_t memory)
{
	/*
	 * limit_memory() is not in privdrop.c, because programs with sanitizers
	 * need terabytes of address space, and write to standard error.
	 */
	if (limit_memory(memory) != 0 || close_standard(inert) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* The first filter stays in effect: a system call must pass both filters. */
int
filter_forbid_fork(void)
{
	static struct sock_filter none[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	static const struct sock_fprog second = {
		sizeof(none) / sizeof(none[0]), none
	};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &second, 0, 0);
}
