/* sandbox/wall-cgroup.h - a control group for each program (cgroups(7), version 2).
 *
 *     OUR GROUP                 delegated to us; no process in it
 *       spawner                 we
 *       program-7               one program and all that came of it
 *
 * Without a group that is ours to divide, or with version 1 only, there is none:
 * then limits are watched from outside (sandbox/watch.h). */
#pragma once

#include "base/cleanup.h"
#include "sandbox/sandbox.h"

/* The files behind it, so that tests have a kernel in memory. Folders are
 * descriptors; -errno. */
struct cgroup_files {
        int (*open_folder)(int folder, const char *name);
        int (*make_folder)(int folder, const char *name);
        int (*remove_folder)(int folder, const char *name);
        int (*write_file)(int folder, const char *name, const char *text);
        /* Terminated; what does not fit is left out. */
        int (*read_file)(int folder, const char *name, char *ret, size_t size);
};

extern const struct cgroup_files cgroup_files_kernel;

struct cgroup;

/* Where our own group is, if it was delegated to us (by systemd: Delegate=yes).
 * -ENOENT: there is no version 2; -EACCES: it is not ours; -errno. */
int cgroup_find(char *ret, size_t size);

/* Takes over the folder `path` and moves us into "spawner" in there; groups of
 * programs that a dead spawner left are removed. *ret_walls: which of
 * SANDBOX_WALL_CGROUP_* it gives. -ENOSYS: it cannot kill (before Linux 5.14). */
int cgroup_new(const struct cgroup_files *files, const char *path, struct cgroup **ret,
               uint32_t *ret_walls);
struct cgroup *cgroup_free(struct cgroup *cgroup);
DEFINE_CLEANUP(cgroup)

/* A group for program `number`, with its limits (with defaults); *ret_fd is the
 * folder, and the caller's. -errno; nothing is left then. */
int cgroup_add(struct cgroup *cgroup, unsigned number, const struct sandbox_limits *limits,
               int *ret_fd);
int cgroup_kill(struct cgroup *cgroup, int fd);
/* -EBUSY: something lives in there still. */
int cgroup_remove(struct cgroup *cgroup, unsigned number);

/* What is not known stays as it is in *usage. */
void cgroup_measure(struct cgroup *cgroup, int fd, struct sandbox_usage *usage);
/* Did the kernel kill for want of memory in there? */
bool cgroup_ran_out_of_memory(struct cgroup *cgroup, int fd);
/* The processes in there, at most `max`. How many; -errno. */
int cgroup_processes(struct cgroup *cgroup, int fd, pid_t ret[], size_t max);
