/* sandbox/site.h - what the spawner has on this machine to build walls with.
 *
 * Found out and made once, at the start; the same for all programs. */
#pragma once

#include "base/log.h"
#include "sandbox/folders.h"
#include "sandbox/options.h"
#include "sandbox/wall-cgroup.h"
#include "sandbox/wall-seccomp.h"

struct site {
        const struct policy *policy;
        struct folders folders;
        uint32_t walls; /* 1 << enum sandbox_wall: that can be had */
        uint32_t landlock_abi;
        struct seccomp_filter *filters[2]; /* without and with the network; NULL */
        struct cgroup *cgroup;             /* NULL: none */
        struct policy_list hidden;         /* the policy's, and the state folder */
        int null_fd;
};

/* -errno, with words. -EPERM: we are root, and cannot be anybody else. `done` after
 * success only. */
int site_open(struct site *ret, const struct spawner_options *options, struct log *log,
              struct error *error);
void site_close(struct site *site);
