/* sandbox/folder-meter.h - how much lies in a folder that somebody else changes meanwhile.
 *
 * Walks in steps, so that nobody waits for a large one. Counts what files take of the disk, each
 * once however many names it has in there; goes along no link and into no other file system. A
 * file that is open and has no name is not found. */
#pragma once

#include <dirent.h>
#include <stdint.h>
#include <sys/types.h>

enum {
        FOLDER_METER_DEPTH_MAX = 32,       /* folders in one another */
        FOLDER_METER_ENTRIES_MAX = 200000, /* in all */
};

/* All zero: nothing is measured. */
struct folder_meter {
        DIR *open[FOLDER_METER_DEPTH_MAX];
        unsigned depth;
        dev_t device;
        unsigned entries;
        uint64_t bytes; /* so far */
};

/* Begins anew; `folder_fd` stays the caller's. -errno. */
int folder_meter_begin(struct folder_meter *meter, int folder_fd);
/* Looks at `entries` more. 1: that was all; 0: there is more; -EOVERFLOW: deeper, or more, than can
 * be counted. What cannot be looked at counts nothing. Over unless it returns 0. */
int folder_meter_step(struct folder_meter *meter, unsigned entries);
void folder_meter_end(struct folder_meter *meter);
