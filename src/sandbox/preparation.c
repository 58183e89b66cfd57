#include "sandbox/preparation.h"

#include "base/attributes.h"
#include "sandbox/wall-limits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What a view empties; without one, Landlock keeps reading out of there. */
static const char *const closed_folders[] = {"/dev", "/home", "/root", "/run", NULL};
static const char *const plain_devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
                                            "/dev/urandom"};
static const char *const whole_dev[] = {"/dev", NULL};

static bool stands(const struct preparation *p, enum sandbox_wall wall)
{
        return p->launch.walls & UINT32_C(1) << wall;
}

static int set_identity(struct preparation *p, const struct site *site,
                        const struct sandbox_program *program, const char **ret_where)
{
        struct identity *identity = &p->launch.identity;
        int r;

        identity->own = site->walls & UINT32_C(1) << SANDBOX_WALL_UID;
        if (identity->own && program->shared_dirs[0])
                identity->groups[identity->groups_count++] = site->folders.shared_gid;
        r = policy_resolve_groups(site->policy, program->groups, identity->groups,
                                  ARRAY_SIZE(identity->groups), &identity->groups_count, ret_where);
        if (r < 0)
                return r;
        *ret_where = program->name;
        r = folders_own(&site->folders, program->name, p->own_path, &p->own_fd, &identity->uid);
        identity->gid = (gid_t)identity->uid;
        return r;
}

static int add_place(struct preparation *p, int fd, const char *path)
{
        p->places[p->launch.mounts.places_count++] = (struct mount_place){fd, path};
        return 0;
}

/* Without a view, one who is not root cannot show a folder at another place. */
static int add_shared(struct preparation *p, const struct site *site,
                      const struct sandbox_program *program, const char **ret_where)
{
        for (const char *const *path = program->shared_dirs; *path; path++) {
                int fd, r;

                *ret_where = *path;
                r = folders_shared(&site->folders, site->policy, *path, &fd);
                if (r < 0)
                        return r;
                add_place(p, fd, *path);
        }
        for (const char *const *path = program->writable; *path; path++)
                add_place(p, -1, *path);
        return 0;
}

static void set_environment(struct preparation *p, const struct sandbox_program *program)
{
        size_t count = 0;
        bool has_home = false;

        for (const char *const *entry = program->environment; *entry; entry++) {
                has_home |= strncmp(*entry, "HOME=", 5) == 0;
                p->environment[count++] = *entry;
        }
        if (!has_home) {
                snprintf(p->home, sizeof(p->home), "HOME=%s", p->own_path);
                p->environment[count] = p->home;
        }
        p->launch.environment = (char *const *)p->environment;
}

static void set_view(struct preparation *p, const struct site *site,
                     const struct sandbox_program *program)
{
        p->launch.mounts.new_proc = stands(p, SANDBOX_WALL_PID_NAMESPACE);
        p->launch.mounts.network = program->network;
        p->launch.mounts.readable = program->readable;
        p->launch.mounts.hidden[0] = site->hidden.entries;
        p->launch.mounts.hidden[1] = program->hidden;
        p->launch.mounts.devices = (const char *const *)p->devices.paths;
        p->launch.mounts.places = p->places;
}

/* Behind a view there is nothing left to hide. */
static void set_landlock(struct preparation *p, const struct site *site,
                         const struct sandbox_program *program)
{
        struct landlock_plan *plan = &p->launch.landlock;
        const bool view = stands(p, SANDBOX_WALL_MOUNT_VIEW);
        size_t hidden = 0, devices = 0;

        for (size_t i = 0; i < site->hidden.count; i++)
                p->hidden[hidden++] = site->hidden.entries[i];
        for (const char *const *path = program->hidden; *path; path++)
                p->hidden[hidden++] = *path;
        for (size_t i = 0; i < ARRAY_SIZE(plain_devices); i++)
                p->device_list[devices++] = plain_devices[i];
        for (size_t i = 0; i < p->devices.count; i++)
                p->device_list[devices++] = p->devices.paths[i];
        p->own_list[0] = p->own_path;
        *plan = (struct landlock_plan){
                .abi = site->landlock_abi,
                .hidden = view ? p->no_paths : p->hidden,
                .closed = view ? p->no_paths : closed_folders,
                .readable = view ? p->no_paths : program->readable,
                .devices = view ? whole_dev : p->device_list,
                .writable = {p->own_list, program->shared_dirs, program->writable},
                .network = program->network,
        };
}

int preparation_make(struct preparation *p, const struct site *site,
                     const struct sandbox_specification *specification, enum sandbox_step *ret_step,
                     const char **ret_where)
{
        const struct sandbox_program *program = &specification->program;
        int r;

        *p = (struct preparation){.own_fd = -1};
        p->launch.program = program;
        p->launch.null_fd = site->null_fd;
        p->launch.cgroup_fd = -1;
        p->launch.folder = p->own_path;
        p->launch.limits = limits_with_defaults(&program->limits);
        p->launch.filter = site->filters[program->network];
        p->launch.walls = site->walls;
        if (program->network)
                p->launch.walls &= ~(UINT32_C(1) << SANDBOX_WALL_NETWORK_NAMESPACE);
        *ret_step = SANDBOX_STEP_IDENTITY;
        r = set_identity(p, site, program, ret_where);
        if (r < 0)
                return r;
        *ret_step = SANDBOX_STEP_DIRECTORIES;
        add_place(p, p->own_fd, p->own_path);
        r = add_shared(p, site, program, ret_where);
        if (r < 0)
                return r;
        *ret_step = SANDBOX_STEP_DEVICES;
        r = policy_expand_devices(site->policy, program->devices, &p->devices, ret_where);
        if (r < 0)
                return r;
        set_environment(p, program);
        set_view(p, site, program);
        set_landlock(p, site, program);
        return 0;
}

void preparation_done(struct preparation *p)
{
        for (size_t i = 0; i < p->launch.mounts.places_count; i++)
                if (p->places[i].fd >= 0 && p->places[i].fd != p->own_fd)
                        close(TAKE_FD(p->places[i].fd));
        if (p->own_fd >= 0)
                close(TAKE_FD(p->own_fd));
        policy_devices_done(&p->devices);
}
