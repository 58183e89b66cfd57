#include "sandbox/site.h"

#include "sandbox/wall-identity.h"
#include "sandbox/wall-landlock.h"
#include "sandbox/walls.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>

enum { PREDECESSOR_ENDS_MS = 10000, WALLS_TEXT_MAX = 256 };

#define WALL(name) (UINT32_C(1) << SANDBOX_WALL_##name)

/* A number serves where there is no such group, as on a machine without packages. */
static int find_shared_group(const struct spawner_options *options, gid_t *ret, struct error *error)
{
        const struct group *group;
        unsigned long number;
        char *end;

        *ret = options->first_uid;
        if (!options->shared_group)
                return 0;
        number = strtoul(options->shared_group, &end, 10);
        if (*end == '\0' && end != options->shared_group && number > 0 && number < UINT32_MAX) {
                *ret = (gid_t)number;
                return 0;
        }
        group = getgrnam(options->shared_group);
        if (!group || group->gr_gid == 0)
                return error_set(error, -ENOENT, "there is no group %s", options->shared_group);
        *ret = group->gr_gid;
        return 0;
}

static int find_identity(struct site *site, const struct spawner_options *options,
                         struct error *error)
{
        if (identity_may_change()) {
                site->walls |= WALL(UID);
                site->folders.first_uid = options->first_uid;
                site->folders.last_uid = options->last_uid;
                return find_shared_group(options, &site->folders.shared_gid, error);
        }
        if (geteuid() == 0)
                return error_set(error, -EPERM,
                                 "root without the capabilities to become somebody else runs "
                                 "no programs");
        return 0;
}

static void find_namespaces(struct site *site)
{
        uint32_t found = walls_try_namespaces();

        if (found == 0 && geteuid() != 0 && walls_enter_user_namespace() == 0)
                found = walls_try_namespaces();
        site->walls |= found;
}

static void find_cgroup(struct site *site, const char *where, struct log *log)
{
        char path[PATH_MAX];
        uint32_t walls = 0;
        int r;

        if (strcmp(where, "none") == 0)
                return;
        r = strcmp(where, "auto") == 0 ? cgroup_find(path, sizeof(path)) : 0;
        if (r == 0)
                r = cgroup_new(&cgroup_files_kernel, strcmp(where, "auto") == 0 ? path : where,
                               &site->cgroup, &walls);
        if (r < 0)
                log_info(log, "sandbox", "no control groups: %s", strerror(-r));
        site->walls |= walls;
}

static int make_filters(struct site *site, struct error *error)
{
        for (int network = 0; network < 2; network++) {
                int r = seccomp_filter_new(network, &site->filters[network]);

                if (r == -ENOSYS)
                        return 0;
                if (r < 0)
                        return error_set(error, r, "cannot make the filter of system calls: %s",
                                         strerror(-r));
        }
        site->walls |= WALL(SECCOMP);
        return 0;
}

static void leave_out(struct site *site, uint32_t without)
{
        site->walls &= ~without;
        /* Its /proc is a part of the view. */
        if (!(site->walls & WALL(MOUNT_VIEW)))
                site->walls &= ~WALL(PID_NAMESPACE);
        if (!(site->walls & WALL(LANDLOCK)))
                site->landlock_abi = 0;
}

static void tell(const struct site *site, struct log *log)
{
        const uint32_t all = (UINT32_C(1) << SANDBOX_WALLS) - 1;
        char text[WALLS_TEXT_MAX];

        walls_print(site->walls, text, sizeof(text));
        log_info(log, "sandbox", "walls: %s", text);
        if (site->walls == all)
                return;
        walls_print(all & ~site->walls, text, sizeof(text));
        log_warning(log, "sandbox", "walls that cannot be had here: %s", text);
}

int site_open(struct site *site, const struct spawner_options *options, struct log *log,
              struct error *error)
{
        int r;

        *site = (struct site){.policy = &options->policy,
                              .hidden = options->policy.hidden,
                              .folders = {.data_fd = -1, .shared_fd = -1, .lock_fd = -1}};
        site->walls = WALL(NO_NEW_PRIVS) | WALL(CAPABILITIES) | WALL(RLIMITS);
        site->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        r = site->null_fd < 0 ? error_set(error, -errno, "/dev/null: %s", strerror(errno)) : 0;
        if (r == 0)
                r = find_identity(site, options, error);
        if (r == 0)
                r = folders_open(&site->folders, options->state_dir, PREDECESSOR_ENDS_MS, error);
        if (r == 0 && policy_add(&site->hidden, site->folders.path) < 0)
                r = error_set(error, -E2BIG, "too many paths to hide");
        if (r == 0)
                r = make_filters(site, error);
        if (r < 0) {
                site_close(site);
                return r;
        }
        find_cgroup(site, options->cgroup, log);
        find_namespaces(site);
        site->landlock_abi = landlock_abi();
        site->walls |= site->landlock_abi > 0 ? WALL(LANDLOCK) : 0;
        leave_out(site, options->without);
        tell(site, log);
        return 0;
}

void site_close(struct site *site)
{
        site->cgroup = cgroup_free(site->cgroup);
        for (int network = 0; network < 2; network++)
                site->filters[network] = seccomp_filter_free(site->filters[network]);
        folders_close(&site->folders);
        if (site->null_fd >= 0)
                close(TAKE_FD(site->null_fd));
}
