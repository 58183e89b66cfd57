#include "sandbox/wall-limits.h"

#include "base/attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

enum {
        DEFAULT_TASKS = 64,
        DEFAULT_OPEN_FILES = 64,
        SHARED_TASKS = 1024, /* of all of one user, when it is not the program's own */
        STACK_BYTES = 8 << 20,
        LOCKED_BYTES = 1 << 20,
        QUEUED_SIGNALS = 256,
};

struct sandbox_limits limits_with_defaults(const struct sandbox_limits *limits)
{
        struct sandbox_limits full = *limits;

        if (full.tasks == 0)
                full.tasks = DEFAULT_TASKS;
        if (full.open_files == 0)
                full.open_files = DEFAULT_OPEN_FILES;
        return full;
}

static int lower(__rlimit_resource_t resource, uint64_t value)
{
        struct rlimit64 limit;

        if (getrlimit64(resource, &limit) < 0)
                return -errno;
        if (value < limit.rlim_max)
                limit.rlim_max = value;
        limit.rlim_cur = limit.rlim_max < value ? limit.rlim_max : value;
        return setrlimit64(resource, &limit) < 0 ? -errno : 0;
}

int limits_enter(const struct sandbox_limits *limits, bool own_uid)
{
        const struct {
                __rlimit_resource_t resource;
                uint64_t value;
                bool set;
        } all[] = {
                {RLIMIT_NOFILE, limits->open_files, true},
                {RLIMIT_NPROC, own_uid ? limits->tasks : SHARED_TASKS, true},
                {RLIMIT_AS, limits->address_space_bytes, limits->address_space_bytes > 0},
                {RLIMIT_FSIZE, limits->file_bytes, limits->file_bytes > 0},
                {RLIMIT_CPU, limits->cpu_seconds, limits->cpu_seconds > 0},
                {RLIMIT_STACK, STACK_BYTES, true},
                {RLIMIT_MEMLOCK, LOCKED_BYTES, true},
                {RLIMIT_SIGPENDING, QUEUED_SIGNALS, true},
                {RLIMIT_RTPRIO, 0, true},
                {RLIMIT_NICE, 0, true},
                /* 1 keeps a program that is given cores by a pipe from being started
                 * (core(5)), which 0 does not. */
                {RLIMIT_CORE, 1, true},
        };

        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                int r = all[i].set ? lower(all[i].resource, all[i].value) : 0;

                if (r < 0)
                        return r;
        }
        return 0;
}

void limits_volunteer_for_oom(void)
{
        AUTO_CLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

        if (fd >= 0 && write(fd, "500", 3) < 0)
                return; /* then it goes when its turn comes */
}
