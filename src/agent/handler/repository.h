/* agent/handler/repository.h - the modules on the disk: all or nothing.
 *
 * In the state directory:
 *
 *     handlers/NAME                            the code in place, for people to see
 *     .backups/handlers_NAME_STAMP.backup      versions that were in place, STAMP in UTC
 *     handler-store/                           the truth, private:
 *         active.json, active.json.prev        which version of which module is in place
 *         sources/SHA256.py|.c                 the code, by its digest
 *         objects/SHA256-COMPILER.so           what a compiler made of it
 *         journal                              changes that have begun
 *         update.log, update.log.1             who did what, JSON lines
 *
 * A change begins with stage(): the source is on the disk and nothing else is
 * different. commit() makes it the one in place by one rename of active.json;
 * abandon() forgets it. A kill or a power cut at any point leaves the module as it
 * was or as it was to become; the next open() finishes or removes what was
 * begun and says so in the update log.
 *
 * Every function blocks on the disk. One thread at a time: the store thread. Nothing
 * in here knows a loop; what is returned is valid until the next call that changes
 * something. Names that lead elsewhere (links, folders in a file's place) are
 * never followed. Sentences for people come in `error`, which may be NULL. */
#pragma once

#include "agent/handler/module.h"
#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/error.h"

enum {
        HANDLER_MODULES_MAX = 256,         /* in place; as many removed ones are remembered */
        HANDLER_SOURCE_MAX = 256 * 1024,   /* bytes: -EFBIG */
        HANDLER_OBJECT_MAX = 8 << 20,      /* bytes: -EFBIG */
        HANDLER_STAGED_MAX = 64,           /* changes begun and not ended: -EBUSY */
        HANDLER_LOG_BYTES_MAX = 512 << 10, /* of each of the two files of the update log */
        HANDLER_LOG_LIMIT_MAX = 1000,      /* entries of one answer */
};

struct handler_repository;

struct handler_retention {
        unsigned backups;       /* of a module, 1 to HANDLER_EARLIER_MAX; 0: 10 */
        unsigned age_days;      /* older ones go; 0: never. The newest good one always stays */
        uint64_t disk_max;      /* bytes of sources, objects and backups together; 0: 64 MiB.
                                 * Then the oldest backups go first; what still does not fit
                                 * is refused with -EDQUOT */
        int64_t (*now_s)(void); /* seconds since 1970; NULL: the real-time clock */
};

/* What open() and scan() found, a line each, for the log. During the call. */
typedef void handler_report_fn(void *owner, bool trouble, const char *line);

/* `state_fd`: the state directory, borrowed until free. Recovers from whatever state the disk is
 * in: what is damaged falls back to something whole or is disabled, and is reported. A
 * disk that can only be read does (and then refuses changes). -errno only when
 * handler-store/ can't be made or entered, or could not be read for want of something that is
 * not the disk's (-ENOMEM, -EMFILE): nothing was changed then, try again. */
int handler_repository_open(int state_fd, const struct handler_retention *retention,
                            handler_report_fn *report, void *owner, struct error *error,
                            struct handler_repository **ret);
struct handler_repository *handler_repository_free(struct handler_repository *repository);
DEFINE_CLEANUP(handler_repository)

/* --- what is in place --- */

/* Modules in place, by name: start with *position = 0; NULL at the end. */
const struct handler_module *handler_repository_next(const struct handler_repository *repository,
                                                     size_t *position);
/* One by its name, also one that was removed; NULL: never heard of. */
const struct handler_module *handler_repository_find(const struct handler_repository *repository,
                                                     const char *filename);

/* The source of a version of a module (its sha256), checked against its digest.
 * -ENOENT: no such version; -EBADMSG: damaged, and no whole copy of it left; -errno. The
 * caller frees *ret (a NUL stands behind the bytes). */
int handler_repository_read(struct handler_repository *repository, const char *filename,
                            const char *sha256, char **ret, size_t *ret_count, struct error *error);

/* The name of a module that nothing is known of any more, neither in place nor as a backup, each
 * once; false: none. Of more than HANDLER_MODULES_MAX in a row the first are told. `ret` has room
 * for HANDLER_NAME_MAX + 1. */
bool handler_repository_take_forgotten(struct handler_repository *repository, char *ret);

/* Where a rollback leads. `version` is the name of a backup file (with or without
 * ".backups/") or the first 8 or more digits of a sha256; NULL: the newest good
 * version other than the one in place, else the newest that is not bad, else the
 * one before. A removed module has a way back too. */
enum handler_rollback {
        HANDLER_ROLLBACK_FOUND,     /* 0 */
        HANDLER_ROLLBACK_NONE,      /* "No earlier version of camera_handlers.py" */
        HANDLER_ROLLBACK_AMBIGUOUS, /* several versions begin like this */
        HANDLER_ROLLBACK_IN_PLACE,  /* that is the one in place */
};
/* A value of the enum. -EINVAL: no such file name, or `version` is neither. */
int handler_repository_rollback_target(const struct handler_repository *repository,
                                       const char *filename, const char *version,
                                       struct handler_version *ret);

/* --- changes --- */

enum handler_action { HANDLER_UPDATE, HANDLER_ROLLBACK, HANDLER_REMOVE };

/* Who asked for it, for the update log. Texts are cut at 255 bytes. */
struct handler_origin {
        const char *who;  /* name of the principal; "local" for files dropped by hand */
        const char *from; /* address or transport */
};

enum { HANDLER_UNCHANGED = 1 };

/* Puts a source on the disk and writes down that a change begins. One change of a module
 * at a time. *ret is its number, for commit() or abandon(), one of which must follow.
 * HANDLER_UNCHANGED: this very source is in place and enabled, nothing was begun.
 * -EINVAL (name), -EFBIG; -EBUSY: a change of this module, or HANDLER_STAGED_MAX changes, are
 * under way; -EDQUOT: modules or bytes; -ENOSPC, -EROFS, -EIO, …: nothing is left behind. */
int handler_repository_stage(struct handler_repository *repository, enum handler_action action,
                             const char *filename, const void *source, size_t count,
                             const struct handler_origin *origin, uint64_t *ret,
                             struct error *error);

struct handler_committed {
        char path[sizeof("handlers/") + HANDLER_NAME_MAX];
        char backup[sizeof(".backups/") + HANDLER_BACKUP_MAX]; /* ""; there was nothing before */
        struct handler_version version;                        /* now in place */
        char warning[HANDLER_WHY_MAX + 1]; /* what did not work after the switch; "": all did */
};

/* The switch. Backup, active.json, the visible copy, the update log ("updated",
 * "rolled_back", "removed"). A version that was good before is good again, all others are
 * untried. -errno: the old one is in place as before, the change is ended and in the
 * update log as "failed". `ret` may be NULL. */
int handler_repository_commit(struct handler_repository *repository, uint64_t change,
                              struct handler_committed *ret, struct error *error);
/* Ends a change that did not come to its switch; the update log says `result` (as
 * "rejected", "checked"), which layer and why. Failures to clean up are left to the next
 * open(). -ENOENT: no such change. */
int handler_repository_abandon(struct handler_repository *repository, uint64_t change,
                               const char *result, const char *layer, const char *message);
/* Backed up, then gone. -ENOENT: not in place; the rest as for commit(). */
int handler_repository_remove(struct handler_repository *repository, const char *filename,
                              const struct handler_origin *origin, struct handler_committed *ret,
                              struct error *error);

/* What became of the version `seq` of a module, in place or earlier. -ENOENT: none such. */
int handler_repository_mark(struct handler_repository *repository, const char *filename,
                            uint64_t seq, enum handler_state state, struct error *error);
/* `why` NULL or "": enabled again. */
int handler_repository_disable(struct handler_repository *repository, const char *filename,
                               const char *why, struct error *error);

/* --- files that people put into handlers/ --- */

/* A source in handlers/ that is not the version in place: it has to pass the layers
 * as a deployment by "local", and until then what is in place stays. */
struct handler_candidate {
        char filename[HANDLER_NAME_MAX + 1];
        char sha256[HANDLER_SHA256_HEX + 1];
};

/* Looks at all of handlers/ (`filename` NULL) or at one file, at most 1024 of them, and fills in up
 * to `max` candidates. Puts back what is missing; reports what is no module (`report`
 * NULL: to nobody). The number found; -errno. A commit overwrites what lies in handlers/ under that
 * name. */
int handler_repository_scan(struct handler_repository *repository, const char *filename,
                            handler_report_fn *report, void *owner,
                            struct handler_candidate *candidates, size_t max);
/* The bytes that lie in handlers/. -ENOENT, -ELOOP (a link), -EISDIR, -EFBIG, -errno. */
int handler_repository_read_visible(struct handler_repository *repository, const char *filename,
                                    char **ret, size_t *ret_count);

/* --- objects of C modules --- */

/* What `compiler` (any text that names compiler and flags) made of a source that is staged or
 * known. One object for a source: another compiler's goes. Nothing depends on it: it
 * can always be made again. -EFBIG, -EDQUOT, -errno. */
int handler_repository_object_store(struct handler_repository *repository, const char *sha256,
                                    const char *compiler, const void *object, size_t count);
/* -ENOENT: compile it (never made, or found damaged and removed). */
int handler_repository_object_read(struct handler_repository *repository, const char *sha256,
                                   const char *compiler, char **ret, size_t *ret_count);

/* --- backups and the update log --- */

struct handler_backup {
        char filename[HANDLER_NAME_MAX + 1];
        struct handler_version version; /* `backup` is its file below .backups/ */
};
typedef void handler_backup_fn(void *owner, const struct handler_backup *backup);
/* Newest first within a module; `filename` NULL: of all modules. */
void handler_repository_backups(const struct handler_repository *repository, const char *filename,
                                handler_backup_fn *each, void *owner);

struct handler_log_entry {
        struct handler_origin origin;
        const char *filename;
        const char *what;    /* "update_handler", "rollback_handler", "auto_rollback", … */
        const char *result;  /* "updated", "rejected", "rolled_back", "removed", … */
        const char *layer;   /* which failed; NULL: none */
        const char *message; /* NULL: none; cut at 511 bytes */
        const char *sha256;  /* NULL: none */
};
/* Time is added. On the disk when this returns 0; -errno: perhaps not. */
int handler_repository_log(struct handler_repository *repository,
                           const struct handler_log_entry *entry);
/* Appends a JSON array of the newest `limit` (1 to HANDLER_LOG_LIMIT_MAX) entries, newest
 * last: {time, who, from, filename, what, result, layer, message, sha256, seq}; `filename` NULL:
 * of all modules. Lines that are damaged are left out. -EINVAL, -EMSGSIZE, -ENOMEM, -errno. */
int handler_repository_log_query(struct handler_repository *repository, const char *filename,
                                 size_t limit, struct buffer *out);
