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

/* What is asked of an argument. */
enum test { ANY, EQUAL, WITHOUT };

struct rule {
	int call;
	enum test test;
	unsigned arg;
	uint64_t value;
};

/*
 * What a session needs, and OpenSSL in a handshake. No descriptor can be made
 * with these but by recvmsg(2), and that from the channels alone, where the
 * parent sends them: a client at a unix socket could send any of its own, such
 * as a socket to the log, in which the session would be the daemon's user. (A
 * session has no control channel, and RLIMIT_NOFILE keeps it from having any
 * other descriptor of that number.) One that the machine does not have is
 * passed over.
 */
static const struct rule rules[] = {
	{ SCMP_SYS(read), ANY, 0, 0 },
	{ SCMP_SYS(write), ANY, 0, 0 },
	{ SCMP_SYS(writev), ANY, 0, 0 },
	{ SCMP_SYS(recvfrom), ANY, 0, 0 },
	{ SCMP_SYS(sendto), EQUAL, 4, 0 }, /* to no address */
	{ SCMP_SYS(sendmsg), EQUAL, 0, FILTER_CHANNEL },
	{ SCMP_SYS(recvmsg), EQUAL, 0, FILTER_CHANNEL },
	{ SCMP_SYS(recvmsg), EQUAL, 0, FORK_SERVER_CONTROL },
	{ SCMP_SYS(poll), ANY, 0, 0 },
	{ SCMP_SYS(ppoll), ANY, 0, 0 },
	{ SCMP_SYS(shutdown), ANY, 0, 0 },
	{ SCMP_SYS(close), ANY, 0, 0 },
	/* How much is unsent, how much there is to read. */
	{ SCMP_SYS(ioctl), EQUAL, 1, SIOCOUTQ },
	{ SCMP_SYS(ioctl), EQUAL, 1, FIONREAD },
	/* malloc(3); nothing new becomes code. */
	{ SCMP_SYS(brk), ANY, 0, 0 },
	{ SCMP_SYS(mmap), WITHOUT, 2, PROT_EXEC },
	{ SCMP_SYS(mprotect), WITHOUT, 2, PROT_EXEC },
	{ SCMP_SYS(munmap), ANY, 0, 0 },
	{ SCMP_SYS(mremap), ANY, 0, 0 },
	{ SCMP_SYS(madvise), ANY, 0, 0 },
	/* Where the vDSO cannot read the clock. */
	{ SCMP_SYS(clock_gettime), ANY, 0, 0 },
	{ SCMP_SYS(gettimeofday), ANY, 0, 0 },
	{ SCMP_SYS(time), ANY, 0, 0 },
	/* OpenSSL: to see a fork, for random numbers, in pthread_once(3). */
	{ SCMP_SYS(getpid), ANY, 0, 0 },
	{ SCMP_SYS(getrandom), ANY, 0, 0 },
	{ SCMP_SYS(futex), EQUAL, 1, FUTEX_WAKE_PRIVATE },
	/* A poll(2) goes on so when somebody has stopped the process. */
	{ SCMP_SYS(restart_syscall), ANY, 0, 0 },
	/* The fork server's own. */
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

/* How a session loses what only the fork server needs. */
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

/* The machine's own calls alone: another ABI's are as forbidden as the rest. */
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
	if (add_way_out(ctx, limited) != 0)
		goto fail;
	return ctx;
fail:
	seccomp_release(ctx);
	return NULL;
}

/* By way of a pipe, which has room for a page at least. */
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

/* Better no daemon than one whose sessions all fail. */
static int
ask_kernel(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

int
filter_build(bool limited)
{
	/*
	 * The kernel tries a new filter out with each call that it knows, to
	 * remember which may always pass, until an argument is looked at. A
	 * session is over before that pays: so it looks at one first, and
	 * takes less than half the time to install.
	 */
	static const struct sock_filter look =
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, args[0]));
	const size_t room = sizeof(code) - sizeof(look);
	scmp_filter_ctx ctx;
	ssize_t n;

	if (ask_kernel() != 0)
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

/* Room for what it has from its parent and many times what it needs. */
#define MEMORY_MAX (256u << 20)

/*
 * There may be a terminal, or the log, where a session would forge lines; but
 * what comes later must not take the place of the standard output.
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
limit_memory(void)
{
	struct rlimit memory;

	if (getrlimit(RLIMIT_AS, &memory) != 0)
		return -1;
	if (memory.rlim_max > MEMORY_MAX)
		memory.rlim_max = MEMORY_MAX;
	memory.rlim_cur = memory.rlim_max;
	return setrlimit(RLIMIT_AS, &memory);
}

int
filter_install(int inert)
{
	/* Here, and not in confine.c: sanitizers need terabytes, and write. */
	if (limit_memory() != 0 || close_standard(inert) != 0)
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

/* The one on top of the other: what either forbids is forbidden. */
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
