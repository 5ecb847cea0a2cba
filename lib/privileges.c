#include "privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Clear the inheritable set, through which a capability could survive an exec.
 * The kernel then also clears the ambient set; see capabilities(7).
 */
int
privileges_keep(uint32_t capabilities)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3,
		0 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = capabilities, .permitted = capabilities }
	};

	return (int)syscall(SYS_capset, &head, sets);
}

int
privileges_forbid_tracing(void)
{
	static const struct rlimit none;

	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
