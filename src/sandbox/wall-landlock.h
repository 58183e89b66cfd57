/* sandbox/wall-landlock.h - files, ports and signals by rule, where the kernel has
 * Landlock (landlock(7)). Stock Raspberry Pi kernels have not.
 *
 * A second fence behind the mount view, and the first where there is none: then
 * what is hidden is left out of what may be read, folder by folder. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The version the kernel offers, 0: none, or switched off. */
uint32_t landlock_abi(void);

struct landlock_plan {
        uint32_t abi;
        const char *const *hidden; /* not to be read; lists end with NULL */
        const char *const *closed; /* nor these, but for what is in `readable` */
        const char *const *readable;
        const char *const *devices;     /* to be opened, ioctl(2) included */
        const char *const *writable[3]; /* folders */
        bool network;
};

/* For good, on this thread and all it makes; needs no_new_privs. Paths that are
 * missing are passed over. -E2BIG: more than 1024 rules; -errno. */
int landlock_enter(const struct landlock_plan *plan);
