/* support/disk-record.h - what may a power cut leave?
 *
 * Records what the calls of disk-faults.h do to a tree of folders, and rebuilds the
 * tree as a crash after any of them may leave it: what was not synced is there, is not,
 * or is there in part. A file's bytes are safe after fsync(file); a name (made, renamed, linked,
 * removed) after fsync(folder), and of those that are not, any may have reached the
 * disk without the others, those of one name in order.
 *
 * Files are only made with O_EXCL and only appended to; renames stay in their folder. */
#pragma once

#include <stddef.h>

/* The tree as it is counts as synced. Folders at most two levels deep. */
void disk_record_begin(const char *path);
/* The number of operations that were recorded, so far or in all. */
size_t disk_record_count(void);
size_t disk_record_end(void);
void disk_record_forget(void);

enum disk_loss {
        DISK_LOSES_ALL,       /* all that is not synced */
        DISK_LOSES_BYTES,     /* names are there, bytes are not */
        DISK_TEARS_BYTES,     /* names are there, and half of the bytes */
        DISK_ZEROES_BYTES,    /* names and lengths are there, the bytes are zero */
        DISK_LOSES_PAGES,     /* the same of each second page, of 512 bytes */
        DISK_LOSES_NOTHING,   /* as after a kill */
        DISK_LOSES_AT_RANDOM, /* this and all above: seeds, each another mixture */
};

/* Makes in the empty folder `path` what is left after the first `operations`. */
void disk_rebuild(size_t operations, unsigned loss, const char *path);
