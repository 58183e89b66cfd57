#include "base/attributes.h"
#include "sandbox/sandbox.h"
#include "sandbox/walls.h"

#include <stdio.h>
#include <string.h>

static const char *const wall_names[] = {
        [SANDBOX_WALL_NO_NEW_PRIVS] = "no_new_privs",
        [SANDBOX_WALL_SECCOMP] = "seccomp",
        [SANDBOX_WALL_UID] = "uid",
        [SANDBOX_WALL_CAPABILITIES] = "capabilities",
        [SANDBOX_WALL_MOUNT_VIEW] = "mount_view",
        [SANDBOX_WALL_PID_NAMESPACE] = "pid_namespace",
        [SANDBOX_WALL_NETWORK_NAMESPACE] = "network_namespace",
        [SANDBOX_WALL_LANDLOCK] = "landlock",
        [SANDBOX_WALL_RLIMITS] = "rlimits",
        [SANDBOX_WALL_CGROUP_KILL] = "cgroup_kill",
        [SANDBOX_WALL_CGROUP_MEMORY] = "cgroup_memory",
        [SANDBOX_WALL_CGROUP_PIDS] = "cgroup_pids",
        [SANDBOX_WALL_CGROUP_CPU] = "cgroup_cpu",
};
_Static_assert(ARRAY_SIZE(wall_names) == SANDBOX_WALLS, "a name each");

static const char *const step_names[] = {
        [SANDBOX_STEP_SPECIFICATION] = "specification",
        [SANDBOX_STEP_PROGRAMS] = "programs",
        [SANDBOX_STEP_IDENTITY] = "identity",
        [SANDBOX_STEP_DIRECTORIES] = "directories",
        [SANDBOX_STEP_DEVICES] = "devices",
        [SANDBOX_STEP_CGROUP] = "control group",
        [SANDBOX_STEP_PROCESS] = "process",
        [SANDBOX_STEP_MOUNT_VIEW] = "mount view",
        [SANDBOX_STEP_LIMITS] = "limits",
        [SANDBOX_STEP_LANDLOCK] = "Landlock",
        [SANDBOX_STEP_CAPABILITIES] = "capabilities",
        [SANDBOX_STEP_SECCOMP] = "seccomp",
        [SANDBOX_STEP_EXEC] = "exec",
        [SANDBOX_STEP_KILLED] = "killed",
};
_Static_assert(ARRAY_SIZE(step_names) == SANDBOX_STEPS, "a name each");

const char *sandbox_wall_name(enum sandbox_wall wall)
{
        return (size_t)wall < ARRAY_SIZE(wall_names) ? wall_names[wall] : NULL;
}

const char *sandbox_step_name(enum sandbox_step step)
{
        return (size_t)step < ARRAY_SIZE(step_names) ? step_names[step] : "?";
}

int walls_find(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(wall_names); i++)
                if (strcmp(wall_names[i], name) == 0)
                        return (int)i;
        return -1;
}

void walls_print(uint32_t walls, char *ret, size_t size)
{
        size_t length = 0;

        ret[0] = '\0';
        for (size_t i = 0; i < ARRAY_SIZE(wall_names) && length < size; i++)
                if (walls & UINT32_C(1) << i)
                        length += (size_t)snprintf(ret + length, size - length, "%s%s",
                                                   length > 0 ? " " : "", wall_names[i]);
}
