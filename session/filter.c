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
 * The test that a rule applies to an argument. ANY allows any argument. EQUAL
 * allows an argument that equals the rule's value. WITHOUT allows an argument
 * in which all bits of the rule's value are 0.
 */
enum test { ANY, EQUAL, WITHOUT };

struct rule {
	int call;
	enum test test;
	unsigned arg;
	uint64_t value;
};

/*
 * The system calls that a session needs, with the handshake by OpenSSL. Only
 * recvmsg(2) can give the process a new descriptor, so recvmsg(2) is allowed
 * only on the channels to the parent. Otherwise, a client at a unix socket
 * could send one of its descriptors, such as a socket to the log. The session
 * would then write to this socket as the daemon's user. A session has closed
 * the control channel. Because of RLIMIT_NOFILE, no other descriptor can have
 * the number of the control channel. libseccomp skips a system call that the
 * machine's architecture does not have.
 */
static const struct rule rules[] = {
	{ SCMP_SYS(read), ANY, 0, 0 },
	{ SCMP_SYS(write), ANY, 0, 0 },
	{ SCMP_SYS(writev), ANY, 0, 0 },
	{ SCMP_SYS(recvfrom), ANY, 0, 0 },
	{ SCMP_SYS(sendto), EQUAL, 4, 0 }, /* only without an address */
	{ SCMP_SYS(sendmsg), EQUAL, 0, FILTER_CHANNEL },
	{ SCMP_SYS(recvmsg), EQUAL, 0, FILTER_CHANNEL },
	{ SCMP_SYS(recvmsg), EQUAL, 0, FORK_SERVER_CONTROL },
	{ SCMP_SYS(poll), ANY, 0, 0 },
	{ SCMP_SYS(ppoll), ANY, 0, 0 },
	{ SCMP_SYS(shutdown), ANY, 0, 0 },
	{ SCMP_SYS(close), ANY, 0, 0 },
	/* To get the numbers of unsent bytes and of bytes to read. */
	{ SCMP_SYS(ioctl), EQUAL, 1, SIOCOUTQ },
	{ SCMP_SYS(ioctl), EQUAL, 1, FIONREAD },
	/* For malloc(3). New memory must not be executable. */
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
	/* To continue a poll(2) after the process was stopped. */
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
 * Return 0 if the kernel has the filter action that kills the process.
 * Otherwise, return -1 with errno, because no session could start without this
 * action.
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
	 * loads an argument. The first instruction of this filter loads an
	 * argument, so each run ends early. The installation then takes less
	 * than half the time. A session ends too soon to benefit from the
	 * kernel's result.
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
 * Replace standard output and standard error by the descriptor `inert`. Both
 * can be a terminal or the log, where a session could write false lines. Do not
 * close the two descriptors, because later descriptors would get these numbers.
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
	 * limit_memory() and close_standard() are not in privdrop.c, because
	 * programs with sanitizers use privdrop.c too. Such programs need
	 * terabytes of address space, and write to standard error.
	 */
	if (limit_memory(memory) != 0 || close_standard(inert) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* The first filter stays in effect, so a system call must pass both filters. */
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
