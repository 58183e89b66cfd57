#include "sandbox/policy.h"

#include "base/attributes.h"

#include <errno.h>
#include <fnmatch.h>
#include <glob.h>
#include <grp.h>
#include <string.h>

/* Cameras, sound, buses, serial lines. */
static const char *const default_devices[] = {
        "/dev/video[0-9]*",  "/dev/media[0-9]*",  "/dev/v4l-subdev[0-9]*", "/dev/vchiq",
        "/dev/vcsm-cma",     "/dev/dma_heap/*",   "/dev/dri/renderD*",     "/dev/snd/*",
        "/dev/i2c-[0-9]*",   "/dev/spidev[0-9]*", "/dev/ttyUSB[0-9]*",     "/dev/ttyACM[0-9]*",
        "/dev/ttyAMA[0-9]*", "/dev/ttyS[0-9]*",
};
static const char *const default_groups[] = {"video", "render", "audio", "i2c", "spi", "dialout"};
static const char *const default_shared[] = {
        "/home/*/*", "/home/*/*/*", "/srv/*",     "/srv/*/*",
        "/mnt/*",    "/mnt/*/*",    "/media/*/*", "/media/*/*/*",
};

/* Not even when an option says so: they reach round everybody who guards a line, or
 * are all of the memory. */
static const char *const never[] = {"/dev/gpiochip*", "/dev/gpiomem*", "/dev/mem", "/dev/kmem",
                                    "/dev/port"};

static bool matches(const char *const patterns[], size_t count, const char *path)
{
        for (size_t i = 0; i < count; i++)
                if (fnmatch(patterns[i], path, FNM_PATHNAME | FNM_PERIOD) == 0)
                        return true;
        return false;
}

void policy_init(struct policy *policy)
{
        *policy = (struct policy){0};
        for (size_t i = 0; i < ARRAY_SIZE(default_devices); i++)
                (void)policy_add(&policy->devices, default_devices[i]);
        for (size_t i = 0; i < ARRAY_SIZE(default_groups); i++)
                (void)policy_add(&policy->groups, default_groups[i]);
        for (size_t i = 0; i < ARRAY_SIZE(default_shared); i++)
                (void)policy_add(&policy->shared, default_shared[i]);
}

int policy_add(struct policy_list *list, const char *entry)
{
        if (list->count == POLICY_ENTRIES_MAX)
                return -E2BIG;
        list->entries[list->count++] = entry;
        return 0;
}

bool policy_allows_shared(const struct policy *policy, const char *path)
{
        return matches(policy->shared.entries, policy->shared.count, path);
}

int policy_resolve_groups(const struct policy *policy, const char *const names[], gid_t ret[],
                          size_t max, size_t *ret_count, const char **ret_which)
{
        for (; *names; names++) {
                const struct group *group;
                bool allowed = false;

                for (size_t i = 0; i < policy->groups.count && !allowed; i++)
                        allowed = strcmp(policy->groups.entries[i], *names) == 0;
                *ret_which = *names;
                if (!allowed)
                        return -EACCES;
                group = getgrnam(*names);
                if (!group)
                        continue;
                if (group->gr_gid == 0)
                        return -EACCES;
                if (*ret_count == max)
                        return -E2BIG;
                ret[(*ret_count)++] = group->gr_gid;
        }
        return 0;
}

static int take_matches(const struct policy *policy, const glob_t *found,
                        struct policy_devices *ret)
{
        for (size_t i = 0; i < found->gl_pathc; i++) {
                const char *path = found->gl_pathv[i];

                if (matches(never, ARRAY_SIZE(never), path) ||
                    !matches(policy->devices.entries, policy->devices.count, path))
                        return -EACCES;
                if (ret->count + 1 == ARRAY_SIZE(ret->paths))
                        return -E2BIG;
                ret->paths[ret->count] = strdup(path);
                if (!ret->paths[ret->count])
                        return -ENOMEM;
                ret->count++;
        }
        return 0;
}

int policy_expand_devices(const struct policy *policy, const char *const patterns[],
                          struct policy_devices *ret, const char **ret_which)
{
        *ret = (struct policy_devices){0};
        for (; *patterns; patterns++) {
                glob_t found = {0};
                int r = glob(*patterns, GLOB_NOSORT, NULL, &found);

                *ret_which = *patterns;
                if (r == 0)
                        r = take_matches(policy, &found, ret);
                else
                        r = r == GLOB_NOSPACE ? -ENOMEM : 0;
                globfree(&found);
                if (r < 0)
                        return r;
        }
        return 0;
}

void policy_devices_done(struct policy_devices *devices)
{
        for (size_t i = 0; i < devices->count; i++)
                free(devices->paths[i]);
        devices->count = 0;
}
