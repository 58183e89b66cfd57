/* agent/handler/recovery-internal.h - what the files of the recovery know of one another:
 * recovery.c (the table, the versions in place, changes that had begun, the save) and
 * recovery-backups.c. Exists for one start, on its thread. */
#pragma once

#include "agent/handler/backups.h"
#include "agent/handler/repository-internal.h"

enum { STRAYS_MAX = 1024, DROPPED_MAX = 1024 };

/* What is to be in the update log once the table is saved. */
struct note {
        char filename[HANDLER_NAME_MAX + 1];
        const char *result;
        char message[HANDLER_WHY_MAX + 1];
};

/* A backup that no version knows. */
struct stray {
        char name[HANDLER_BACKUP_MAX + 1];
        int64_t time;
};

struct recovery {
        struct handler_repository *repository;
        handler_report_fn *report;
        void *owner;
        enum active_source source;
        bool changed; /* the table in memory is not what the disk says */
        bool journal_torn, unfinished;
        size_t note_count, stray_count, dropped_count;
        struct note notes[HANDLER_MODULES_MAX];
        struct stray strays[STRAYS_MAX];
        /* Files that retention gives up, once the table that does not know them is saved. More
         * than fit are strays to the next start. */
        char dropped[DROPPED_MAX][HANDLER_BACKUP_MAX + 1];
};

/* A line for whoever reads the log; `trouble`: somebody may have to look. */
void PRINTF_LIKE(3, 4)
        recovery_tell(const struct recovery *recovery, bool trouble, const char *format, ...);

/* recovery-backups.c */

/* Backups that a version knows and that are missing are written again, or given up. */
void recovery_check_backups(struct recovery *recovery, struct handler_module *module);
bool recovery_knows_backup(const struct handler_repository *repository, const char *filename,
                           const char *backup);
/* Backups that no version knows become versions, the oldest first. -ENOMEM. */
int recovery_adopt_strays(struct recovery *recovery);
