/* sandbox/storage-watch.h - ends programs that fill their own folder beyond their limit.
 *
 * One folder after the other is measured, in steps, between other work; what a program writes
 * between two looks is beyond its limit for so long. */
#pragma once

#include "sandbox/folder-meter.h"
#include "sandbox/running.h"

enum {
        STORAGE_ROUND_MS = 5000, /* between two looks at all folders */
        STORAGE_STEP_MS = 20,    /* between two steps of one look */
        STORAGE_STEP_ENTRIES = 256,
};

struct storage_watch {
        struct folder_meter meter;
        size_t at;       /* whose folder, in the table */
        uint64_t id;     /* of that program; 0: none is measured now */
        uint64_t due_ms; /* of the next step */
};

/* A step, when it is due. Does nothing where no program has such a limit. */
void storage_watch_run(struct storage_watch *watch, struct running programs[], size_t count,
                       const struct folders *folders, uint64_t now_ms);
void storage_watch_end(struct storage_watch *watch);
