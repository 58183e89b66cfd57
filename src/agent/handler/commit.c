/* Changes that are staged: switched or abandoned. See repository.h. */
#include "agent/handler/repository-internal.h"
#include "agent/handler/update-log.h"
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int log_change(struct handler_repository *repository, const struct handler_change *change,
                      const char *result, const char *layer, const char *message)
{
        const struct handler_log_entry entry = {
                .origin = {.who = change->who, .from = change->from},
                .filename = change->filename,
                .what = handler_action_command(change->action),
                .result = result,
                .layer = layer,
                .message = message,
                .sha256 = change->after[0] != '\0' ? change->after : NULL,
        };

        return update_log_append(repository->private_fd, &entry, change->id,
                                 repository->retention.now_s());
}

/* What the table will say of the module. */
static int make_next(struct handler_repository *repository, const struct handler_change *change,
                     bool has_backup, struct handler_module **ret)
{
        const struct handler_module *old = active_table_find(&repository->table, change->filename);
        const struct handler_version *known;
        AUTO(handler_module) struct handler_module *next = NULL;
        int r = old ? handler_module_clone(old, &next)
                    : handler_module_new(change->filename, &next);

        if (r < 0)
                return r;
        next->current = (struct handler_version){
                .seq = change->id, .time = repository->retention.now_s(), .size = change->size};
        memcpy(next->current.sha256, change->after, sizeof(next->current.sha256));
        known = old ? handler_module_version(old, change->after) : NULL;
        if (known && known->state == HANDLER_GOOD)
                next->current.state = HANDLER_GOOD;
        next->disabled[0] = '\0';
        if (has_backup) {
                struct handler_version before = old->current;

                memcpy(before.backup, change->backup, sizeof(before.backup));
                /* Of the backup: what was in place for a year is not old when it goes. */
                before.time = next->current.time;
                handler_module_add_earlier(next, &before);
        }
        repository_trim(repository, next);
        *ret = TAKE(next);
        return 0;
}

/* 1: written; 0: there is nothing to be backed up, or nothing left of it. */
static int write_backup(struct handler_repository *repository, const struct handler_change *change)
{
        const struct handler_module *module =
                active_table_find(&repository->table, change->filename);
        AUTO_FREE char *bytes = NULL;
        size_t count;
        int r;

        if (change->backup[0] == '\0' || !module)
                return 0;
        r = repository_source(repository, change->filename, &module->current, &bytes, &count);
        /* What is lost can't be kept, and must not keep its mending out. */
        if (r == -EBADMSG)
                return 0;
        if (r == 0)
                r = durable_write(repository->backups_fd, change->backup, 0600, bytes, count);
        return r < 0 ? r : 1;
}

/* Lies ready in handlers/ before the switch: nothing behind it wants any space. */
static int prepare_visible(struct handler_repository *repository, struct handler_change *change)
{
        struct handler_version after = {0};
        AUTO_FREE char *bytes = NULL;
        struct stat status;
        size_t count;
        int r;

        if (fstatat(repository->visible_fd, change->filename, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISDIR(status.st_mode))
                return -EISDIR;
        if (change->action == HANDLER_REMOVE)
                return 0;
        memcpy(after.sha256, change->after, sizeof(after.sha256));
        r = repository_source(repository, change->filename, &after, &bytes, &count);
        if (r < 0)
                return r;
        r = durable_prepare(repository->visible_fd, change->filename, 0644, bytes, count);
        change->prepared = r == 0;
        return r;
}

static void undo_preparations(struct handler_repository *repository,
                              const struct handler_change *change)
{
        if (change->prepared)
                durable_discard(repository->visible_fd, change->filename);
        if (change->backup[0] != '\0')
                (void)unlinkat(repository->backups_fd, change->backup, 0);
}

static int switch_version(struct handler_repository *repository, struct handler_change *change,
                          struct handler_committed *result, struct error *error)
{
        struct handler_module *next;
        int backup, r;

        backup = write_backup(repository, change);
        if (backup < 0)
                return repository_failure(error, backup, "back up", change->filename);
        r = prepare_visible(repository, change);
        if (r < 0)
                return repository_failure(error, r, "write to handlers", change->filename);
        r = make_next(repository, change, backup, &next);
        if (r < 0)
                return error_set(error, r, "not enough memory");
        result->version = next->current;
        r = repository_replace(repository, next);
        if (r < 0)
                return repository_failure(error, r, "switch", change->filename);
        change->unsynced = r == ACTIVE_COMMITTED_UNSYNCED;
        if (backup)
                snprintf(result->backup, sizeof(result->backup), ".backups/%s", change->backup);
        snprintf(result->path, sizeof(result->path), "handlers/%s", change->filename);
        return 0;
}

/* What lies in handlers/: the digest, "" for nothing, or an error. */
static int visible_digest(struct handler_repository *repository, const char *filename, char *ret)
{
        AUTO_FREE char *bytes = NULL;
        size_t count;
        int r = durable_read_own(repository->visible_fd, filename, HANDLER_SOURCE_MAX, &bytes,
                                 &count);

        ret[0] = '\0';
        if (r == 0)
                handler_sha256(bytes, count, ret);
        return r == -ENOENT ? 0 : r;
}

static int place_visible(struct handler_repository *repository, struct handler_change *change)
{
        int r = change->prepared ? 0 : prepare_visible(repository, change);

        if (r == 0)
                r = durable_place(repository->visible_fd, change->filename);
        if (r < 0 && change->prepared)
                durable_discard(repository->visible_fd, change->filename);
        change->prepared = false;
        return r == DURABLE_UNSYNCED ? -EIO : r;
}

static int remove_visible(struct handler_repository *repository,
                          const struct handler_change *change)
{
        if (unlinkat(repository->visible_fd, change->filename, 0) < 0)
                return errno == ENOENT ? 0 : -errno;
        return fsync(repository->visible_fd) < 0 ? -errno : 0;
}

static int update_visible(struct handler_repository *repository, struct handler_change *change,
                          bool after_restart)
{
        const struct handler_module *module =
                active_table_find(&repository->table, change->filename);
        char lies_there[HANDLER_SHA256_HEX + 1];

        /* Another change came after it. */
        if (module && module->current.seq != change->id)
                return 0;
        if (after_restart) {
                int r = visible_digest(repository, change->filename, lies_there);

                if (r == -EFBIG ||
                    (r == 0 && lies_there[0] != '\0' && strcmp(lies_there, change->before) != 0))
                        return 0;
        }
        return change->action == HANDLER_REMOVE ? remove_visible(repository, change)
                                                : place_visible(repository, change);
}

int repository_finish(struct handler_repository *repository, struct handler_change *change,
                      bool after_restart)
{
        int visible, r = 0;

        /* Before anybody says that it is done: a file that no failed sync has touched. */
        if (change->unsynced) {
                r = active_table_save(&repository->table, repository->private_fd);
                if (r != 0)
                        return r < 0 ? r : -EIO;
                change->unsynced = false;
        }
        visible = update_visible(repository, change, after_restart);
        if (!change->logged) {
                r = log_change(repository, change, handler_action_result(change->action), NULL,
                               after_restart ? "finished after an interruption" : NULL);
                change->logged = r == 0;
        }
        if (visible < 0 || r < 0)
                return visible < 0 ? visible : r;
        handler_journal_end(&repository->journal, change->id);
        handler_change_free(change);
        return 0;
}

static int commit(struct handler_repository *repository, struct handler_change *change,
                  struct handler_committed *result, struct error *error)
{
        struct error why = {0};
        int r = switch_version(repository, change, result, &why);

        if (r < 0) {
                undo_preparations(repository, change);
                (void)handler_repository_abandon(repository, change->id, "failed", NULL, why.text);
                return error_set(error, r, "%s", why.text);
        }
        change->committed = true;
        r = repository_finish(repository, change, false);
        if (r < 0 && change->unsynced)
                snprintf(result->warning, sizeof(result->warning),
                         "the disk did not confirm the switch, a power cut may undo it: %s",
                         strerror(-r));
        else if (r < 0)
                snprintf(result->warning, sizeof(result->warning),
                         "in place; handlers/ or the update log will follow: %s", strerror(-r));
        return 0;
}

int handler_repository_commit(struct handler_repository *repository, uint64_t id,
                              struct handler_committed *ret, struct error *error)
{
        struct handler_change *change = handler_change_find(&repository->changes, id);
        struct handler_committed result = {0};
        int r;

        if (!change || change->committed)
                return error_set(error, -ENOENT, "there is no such change under way");
        r = commit(repository, change, &result, error);
        if (r == 0 && ret)
                *ret = result;
        return r;
}

int handler_repository_abandon(struct handler_repository *repository, uint64_t id,
                               const char *result, const char *layer, const char *message)
{
        AUTO(handler_change)
        struct handler_change *change = handler_change_find(&repository->changes, id);
        const char *suffix;
        int r;

        if (!change)
                return -ENOENT;
        if (change->committed) {
                (void)TAKE(change);
                return -ENOENT;
        }
        suffix = handler_name_suffix(change->filename);
        list_remove(&change->link);
        r = log_change(repository, change, result, layer, message);
        if (change->after[0] != '\0' && !repository_refers(repository, change->after, suffix))
                content_store_drop(&repository->content, change->after, suffix);
        /* What the log does not tell, the next start will. */
        if (r == 0)
                handler_journal_end(&repository->journal, change->id);
        return r;
}

int handler_repository_remove(struct handler_repository *repository, const char *filename,
                              const struct handler_origin *origin, struct handler_committed *ret,
                              struct error *error)
{
        const struct handler_module *module = active_table_find(&repository->table, filename);
        struct handler_committed result = {0};
        struct handler_change *change;
        int r;

        if (!module || !handler_module_in_place(module))
                return error_set(error, -ENOENT, "there is no module %s", filename);
        r = repository_stage(repository, HANDLER_REMOVE, filename, NULL, 0, origin, &change, error);
        if (r == 0)
                r = commit(repository, change, &result, error);
        if (r == 0 && ret)
                *ret = result;
        return r;
}

/* --- what became of a version --- */

int handler_repository_mark(struct handler_repository *repository, const char *filename,
                            uint64_t seq, enum handler_state state, struct error *error)
{
        const struct handler_module *module = active_table_find(&repository->table, filename);
        const struct handler_version *version =
                module ? handler_module_version_by_seq(module, seq) : NULL;
        struct handler_module *next;
        int r;

        if (!version || version->sha256[0] == '\0')
                return error_set(error, -ENOENT, "%s has no such version", filename);
        if (version->state == state)
                return 0;
        r = handler_module_clone(module, &next);
        if (r < 0)
                return error_set(error, r, "not enough memory");
        if (version == &module->current)
                next->current.state = state;
        else
                next->earlier[version - module->earlier].state = state;
        r = repository_replace(repository, next);
        return r < 0 ? repository_failure(error, r, "remember the state of", filename) : 0;
}

int handler_repository_disable(struct handler_repository *repository, const char *filename,
                               const char *why, struct error *error)
{
        const struct handler_module *module = active_table_find(&repository->table, filename);
        struct handler_module *next;
        int r;

        if (!module || !handler_module_in_place(module))
                return error_set(error, -ENOENT, "there is no module %s", filename);
        r = handler_module_clone(module, &next);
        if (r < 0)
                return error_set(error, r, "not enough memory");
        snprintf(next->disabled, sizeof(next->disabled), "%s", why ? why : "");
        if (strcmp(next->disabled, module->disabled) == 0) {
                handler_module_free(next);
                return 0;
        }
        r = repository_replace(repository, next);
        return r < 0 ? repository_failure(error, r, "remember the state of", filename) : 0;
}
