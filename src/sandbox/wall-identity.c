#include "sandbox/wall-identity.h"

#include "base/attributes.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct capability_sets {
        struct __user_cap_data_struct words[_LINUX_CAPABILITY_U32S_3];
};

static int get_sets(struct capability_sets *ret)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

        return syscall(SYS_capget, &header, ret->words) < 0 ? -errno : 0;
}

static uint64_t effective(const struct capability_sets *sets)
{
        return (uint64_t)sets->words[1].effective << 32 | sets->words[0].effective;
}

bool identity_may_change(void)
{
        static const unsigned needed[] = {CAP_SETUID, CAP_SETGID,       CAP_CHOWN,
                                          CAP_FOWNER, CAP_DAC_OVERRIDE, CAP_KILL};
        struct capability_sets sets;

        if (geteuid() != 0 || get_sets(&sets) < 0)
                return false;
        for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
                if (!(effective(&sets) & (UINT64_C(1) << needed[i])))
                        return false;
        return true;
}

int identity_enter(const struct identity *identity)
{
        if (!identity->own)
                return getuid() == 0 || geteuid() == 0 ? -EPERM : 0;
        if (identity->uid == 0 || identity->gid == 0)
                return -EPERM;
        if (setgroups(identity->groups_count, identity->groups) < 0 ||
            setresgid(identity->gid, identity->gid, identity->gid) < 0 ||
            setresuid(identity->uid, identity->uid, identity->uid) < 0)
                return -errno;
        return 0;
}

int capabilities_bound(void)
{
        struct capability_sets sets;
        int r = get_sets(&sets);

        if (r < 0)
                return r;
        if (!(effective(&sets) & (UINT64_C(1) << CAP_SETPCAP)))
                return 0;
        for (unsigned i = 0; i < 64; i++)
                if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
                        return errno == EINVAL ? 0 : -errno; /* beyond the last */
        return 0;
}

int capabilities_drop(uint64_t keep)
{
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct capability_sets sets;
        int r = get_sets(&sets);

        if (r < 0)
                return r;
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
                return -errno;
        for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
                uint32_t kept = (uint32_t)(keep >> (32 * i));

                sets.words[i].permitted &= kept;
                sets.words[i].effective &= kept;
                sets.words[i].inheritable = 0;
        }
        return syscall(SYS_capset, &header, sets.words) < 0 ? -errno : 0;
}

bool capabilities_are_none(void)
{
        struct capability_sets sets;

        return get_sets(&sets) == 0 && sets.words[0].permitted == 0 && sets.words[1].permitted == 0;
}

int no_new_privs_enter(void)
{
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}
