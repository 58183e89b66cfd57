/* sandbox/preparation.h - from what is asked for to what is launched.
 *
 * Here the asker's wishes meet the policy. Holds what the launch points to until it
 * has happened. */
#pragma once

#include "sandbox/launch.h"
#include "sandbox/site.h"
#include "sandbox/specification.h"

struct preparation {
        struct launch launch;
        struct policy_devices devices;
        struct mount_place places[MOUNT_PLACES_MAX];
        int own_fd;
        char own_path[PATH_MAX], home[PATH_MAX + 8];
        const char *environment[SANDBOX_WORDS_MAX + 2];
        const char *own_list[2], *no_paths[1];
        const char *hidden[POLICY_ENTRIES_MAX + SANDBOX_PATHS_MAX + 1];
        const char *device_list[160];
};

/* `specification` has to live as long. -errno; *ret_step says of what, *ret_where
 * about what. `done` in any case. */
int preparation_make(struct preparation *preparation, const struct site *site,
                     const struct sandbox_specification *specification, enum sandbox_step *ret_step,
                     const char **ret_where);
void preparation_done(struct preparation *preparation);
