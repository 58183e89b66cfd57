/* sandbox/folders.h - the folders that programs may write to.
 *
 *     STATE_DIR/data/NAME     a name's own; its owner is the name's user id
 *     STATE_DIR/shared/...    stands in for /... where we are not root
 *
 * That the owner of a folder is its name's user id is all there is of a record:
 * it survives what the folder survives. Numbers are given out in a circle, so that one that
 * was given back is another's as late as can be. No link is followed on the way to any of
 * them: what lies above a shared folder may be another user's. */
#pragma once

#include "sandbox/policy.h"

#include <limits.h>

struct folders {
        char path[PATH_MAX]; /* of STATE_DIR */
        int data_fd, shared_fd;
        uid_t first_uid, last_uid; /* of the pool; both 0: everybody is who we are */
        gid_t shared_gid;
        int lock_fd;
};

/* Makes the state folder when it is missing (not what is above it), and takes it
 * for this process alone: waits at most `wait_ms` for another one to end, then
 * -EBUSY. -EPERM: it is somebody else's. With words. */
int folders_open(struct folders *ret, const char *path, unsigned wait_ms, struct error *error);
void folders_close(struct folders *folders);

/* The name's own folder and user id; *ret_fd is the caller's. -EUSERS: no user id
 * is left; -EPERM: it is there, but of somebody outside the pool. */
int folders_own(const struct folders *folders, const char *name, char ret_path[PATH_MAX],
                int *ret_fd, uid_t *ret_uid);

/* The name is not heard of any more: its user id can be another's, unless it has left something in
 * its own folder. No process of it may be left. -ENOTEMPTY; -ENOENT; -errno. */
int folders_give_back(const struct folders *folders, const char *name);

/* A folder that is shared: made when missing, as its parent's owner's; where it is
 * there, its group is made the shared one. -EACCES: not allowed; -ELOOP: a link is
 * on the way; -ENOTDIR. */
int folders_shared(const struct folders *folders, const struct policy *policy, const char *path,
                   int *ret_fd);
