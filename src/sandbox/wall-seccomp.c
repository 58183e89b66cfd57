#include "sandbox/wall-seccomp.h"

#include "base/attributes.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

struct seccomp_filter {
        struct sock_fprog program;
};

/* By name: those that libseccomp or the architecture does not know are passed
 * over. */
static const char *const denied[] = {
        /* other processes */
        "ptrace",
        "process_vm_readv",
        "process_vm_writev",
        "process_madvise",
        "process_mrelease",
        "kcmp",
        "pidfd_getfd",
        "move_pages",
        "migrate_pages",
        /* the kernel and its keys */
        "kexec_load",
        "kexec_file_load",
        "init_module",
        "finit_module",
        "delete_module",
        "create_module",
        "bpf",
        "perf_event_open",
        "keyctl",
        "add_key",
        "request_key",
        "syslog",
        "lookup_dcookie",
        "userfaultfd",
        "io_uring_setup",
        "io_uring_enter",
        "io_uring_register",
        "fanotify_init",
        "ioperm",
        "iopl",
        "pciconfig_read",
        "pciconfig_write",
        "pciconfig_iobase",
        "uselib",
        "_sysctl",
        "nfsservctl",
        "vm86",
        "vm86old",
        "modify_ldt",
        /* mounts and namespaces */
        "mount",
        "umount",
        "umount2",
        "pivot_root",
        "chroot",
        "open_tree",
        "move_mount",
        "fsopen",
        "fsconfig",
        "fsmount",
        "fspick",
        "mount_setattr",
        "open_tree_attr",
        "setns",
        "unshare",
        "name_to_handle_at",
        "open_by_handle_at",
        "quotactl",
        "quotactl_fd",
        /* the machine */
        "reboot",
        "swapon",
        "swapoff",
        "sethostname",
        "setdomainname",
        "settimeofday",
        "clock_settime",
        "clock_settime64",
        "clock_adjtime",
        "clock_adjtime64",
        "adjtimex",
        "stime",
        "acct",
        "vhangup",
};

/* Each of them makes clone(2) a way to new privileges. */
static const unsigned new_namespaces[] = {
        CLONE_NEWNS,   CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
        CLONE_NEWUSER, CLONE_NEWPID,    CLONE_NEWNET,
};

/* What an ioctl(2) asks of a terminal that others type into: to take a character
 * as typed, and to do as the mouse would. */
static const unsigned terminal_requests[] = {TIOCSTI, TIOCLINUX};

static int deny(scmp_filter_ctx context, const char *name, int error)
{
        int number = seccomp_syscall_resolve_name(name);
        int r;

        if (number == __NR_SCMP_ERROR)
                return 0;
        r = seccomp_rule_add(context, SCMP_ACT_ERRNO((unsigned)error), number, 0);
        return r == -EDOM ? 0 : r;
}

static int deny_calls(scmp_filter_ctx context)
{
        int r = deny(context, "clone3", ENOSYS);

        for (size_t i = 0; i < ARRAY_SIZE(denied) && r == 0; i++)
                r = deny(context, denied[i], EPERM);
        for (size_t i = 0; i < ARRAY_SIZE(new_namespaces) && r == 0; i++)
                r = seccomp_rule_add(
                        context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                        SCMP_A0(SCMP_CMP_MASKED_EQ, new_namespaces[i], new_namespaces[i]));
        /* The kernel looks at 32 bits of the request, so must we. */
        for (size_t i = 0; i < ARRAY_SIZE(terminal_requests) && r == 0; i++)
                r = seccomp_rule_add(context, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                                     SCMP_A1(SCMP_CMP_MASKED_EQ, UINT32_MAX, terminal_requests[i]));
        return r;
}

/* The kernel takes the family as 32 bits; a rule compares 64, so families are
 * denied by what they are not: below the one that is allowed, or above it. */
static int deny_range(scmp_filter_ctx context, int call, unsigned from, unsigned to)
{
        int r = 0;

        for (unsigned family = from; family <= to && r == 0; family++)
                r = seccomp_rule_add(context, SCMP_ACT_ERRNO(EAFNOSUPPORT), call, 1,
                                     SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, family));
        return r;
}

static bool family_is_allowed(unsigned family, bool network)
{
        if (family == AF_UNIX || family == AF_NETLINK)
                return true;
        return network && (family == AF_INET || family == AF_INET6);
}

static int deny_sockets(scmp_filter_ctx context, bool network)
{
        int r = 0;

        for (unsigned family = 0; family < AF_MAX && r == 0; family++)
                if (!family_is_allowed(family, network))
                        r = deny_range(context, SCMP_SYS(socket), family, family);
        /* Families the kernel may have beyond those this was built with. */
        if (r == 0)
                r = deny_range(context, SCMP_SYS(socket), AF_MAX, AF_MAX + 15);
        /* Of netlink, device events for all, addresses and routes for the network. */
        for (unsigned protocol = 0; protocol < 32 && r == 0; protocol++)
                if (protocol != NETLINK_KOBJECT_UEVENT && !(network && protocol == NETLINK_ROUTE))
                        r = seccomp_rule_add(context, SCMP_ACT_ERRNO(EAFNOSUPPORT),
                                             SCMP_SYS(socket), 2,
                                             SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, AF_NETLINK),
                                             SCMP_A2(SCMP_CMP_MASKED_EQ, UINT32_MAX, protocol));
        return r;
}

/* Programs of 32 bits on a kernel of 64 are common on a Raspberry Pi. Those of x86
 * have socketcall(2), which no filter sees through, and are killed. */
static int add_architectures(scmp_filter_ctx context)
{
#ifdef __aarch64__
        int r = seccomp_arch_add(context, SCMP_ARCH_ARM);

        return r == -EEXIST ? 0 : r;
#else
        return seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
#endif
}

/* libseccomp writes it to a file only. */
static int take_program(scmp_filter_ctx context, struct seccomp_filter *filter)
{
        AUTO_CLOSE int fd = memfd_create("pifleet-filter", MFD_CLOEXEC);
        AUTO_FREE struct sock_filter *code = NULL;
        struct stat status;
        int r;

        if (fd < 0)
                return -errno;
        r = seccomp_export_bpf(context, fd);
        if (r < 0)
                return r;
        if (fstat(fd, &status) < 0)
                return -errno;
        if (status.st_size <= 0 || (size_t)status.st_size > BPF_MAXINSNS * sizeof(*code))
                return -E2BIG;
        code = malloc((size_t)status.st_size);
        if (!code)
                return -ENOMEM;
        if (pread(fd, code, (size_t)status.st_size, 0) != status.st_size)
                return -EIO;
        filter->program.len = (unsigned short)((size_t)status.st_size / sizeof(*code));
        filter->program.filter = TAKE(code);
        return 0;
}

int seccomp_filter_new(bool network, struct seccomp_filter **ret)
{
        AUTO(seccomp_filter) struct seccomp_filter *filter = NULL;
        const uint32_t action = SECCOMP_RET_ERRNO;
        scmp_filter_ctx context;
        int r;

        if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
                return -ENOSYS;
        filter = calloc(1, sizeof(*filter));
        context = filter ? seccomp_init(SCMP_ACT_ALLOW) : NULL;
        if (!context)
                return -ENOMEM;
        r = add_architectures(context);
        if (r == 0)
                r = deny_calls(context);
        if (r == 0)
                r = deny_sockets(context, network);
        /* A search tree: about ten steps for a call instead of one for each rule. */
        if (r == 0)
                r = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        if (r == 0)
                r = take_program(context, filter);
        seccomp_release(context);
        if (r < 0)
                return r;
        *ret = TAKE(filter);
        return 0;
}

struct seccomp_filter *seccomp_filter_free(struct seccomp_filter *filter)
{
        if (filter)
                free(filter->program.filter);
        free(filter);
        return NULL;
}

int seccomp_filter_enter(const struct seccomp_filter *filter)
{
        if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter->program) < 0)
                return -errno;
        return 0;
}
