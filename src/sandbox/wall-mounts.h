/* sandbox/wall-mounts.h - the machine as a program sees it.
 *
 * All file systems are read-only. /tmp, /var/tmp and /dev/shm are its own, empty,
 * 64 MiB each, and gone with it. /dev has null, zero, full, random, urandom and
 * what it was granted; /home, /root and /run hold nothing but what it was granted,
 * /run/udev (by which cameras are found) and, with the network, what
 * /etc/resolv.conf leads to. What is hidden is an empty folder, or an empty file.
 *
 * mount_namespaces(7), mount_setattr(2), open_tree(2), move_mount(2). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mount_place {
        int fd;           /* what is to be seen there; -1: what is there already */
        const char *path; /* writable; plain */
};

struct mount_plan {
        bool new_proc; /* we are in a PID namespace of our own */
        bool network;
        const char *const *readable;  /* the lists end with NULL */
        const char *const *hidden[2]; /* an own place in there is seen all the same */
        const char *const *devices;   /* paths; others than character devices are left out */
        const struct mount_place *places;
        size_t places_count; /* at most MOUNT_PLACES_MAX */
};

enum { MOUNT_PLACES_MAX = 1 + 2 * 32, MOUNT_DEVICES_MAX = 128 };

/* Of the whole mount namespace, which must be our own. Takes no memory but the
 * stack's. *ret_where: what it was about, on failure. -errno. */
int mount_view_enter(const struct mount_plan *plan, const char **ret_where);
