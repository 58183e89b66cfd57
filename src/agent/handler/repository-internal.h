/* agent/handler/repository-internal.h - what the files of the repository share. */
#pragma once

#include "agent/handler/active-table.h"
#include "agent/handler/content-store.h"
#include "agent/handler/journal.h"
#include "agent/handler/repository.h"

enum {
        VISIBLE_MAX = 1024,  /* files of handlers/ that are looked at */
        BACKUPS_MAX = 32768, /* files of .backups/ that are looked at */
};

struct handler_repository {
        int private_fd;             /* handler-store/ */
        int visible_fd, backups_fd; /* -1: something else stands there, no change is possible */
        struct content_store content;
        struct active_table table;
        struct handler_journal journal;
        struct list changes;
        uint64_t next_id;
        struct handler_retention retention;
        char forgotten[HANDLER_MODULES_MAX][HANDLER_NAME_MAX + 1];
        size_t forgotten_count;
};

/* A sentence for `r`, a system's error: "cannot WHAT FILENAME: …". Returns `r`. */
int repository_failure(struct error *error, int r, const char *what, const char *filename);

/* Makes `module` (taken over in any case) what the table and the disk say; without a version in
 * place and without backups it is forgotten. What nobody refers to any more is removed. 0;
 * ACTIVE_COMMITTED_UNSYNCED; -errno: table and disk are as before. */
int repository_replace(struct handler_repository *repository, struct handler_module *module);

/* For handler_repository_take_forgotten(). */
void repository_note_forgotten(struct handler_repository *repository, const char *filename);

/* Sources that a version or a change that has begun needs. `owner`: the repository. */
bool repository_refers(const void *owner, const char *sha256, const char *suffix);

/* The source of a version, from the store, its backup or handlers/; what only the latter
 * have is put into the store again. */
int repository_source(struct handler_repository *repository, const char *filename,
                      const struct handler_version *version, char **ret, size_t *ret_count);

/* Begins a change, also one that removes; *ret is among the changes then. 0;
 * HANDLER_UNCHANGED; -EBUSY, -EDQUOT, -ENOTDIR or the disk's: nothing has begun. */
int repository_stage(struct handler_repository *repository, enum handler_action action,
                     const char *filename, const void *source, size_t count,
                     const struct handler_origin *origin, struct handler_change **ret,
                     struct error *error);

/* What comes after the switch, and can be done again: the visible copy, the log, the journal.
 * Frees the change on success. `after_restart`: a file that is neither the old nor the new
 * version belongs to a person, and stays. */
int repository_finish(struct handler_repository *repository, struct handler_change *change,
                      bool after_restart);

/* Drops what count and age say from a module, in memory. */
void repository_trim(const struct handler_repository *repository, struct handler_module *module);
/* Makes room for `bytes` more, by giving up the oldest backups. -EDQUOT; -errno. */
int repository_make_room(struct handler_repository *repository, uint64_t bytes);

int repository_recover(struct handler_repository *repository, handler_report_fn *report,
                       void *owner);
