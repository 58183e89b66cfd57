/* The beginning of a change: may it begin, is there room, and then it is written down before
 * anything is stored for it. See repository.h. */
#include "agent/handler/backups.h"
#include "agent/handler/repository-internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static size_t count_new(const struct handler_repository *repository, size_t *ret_changes)
{
        size_t fresh = 0;

        *ret_changes = 0;
        list_for_each (&repository->changes, position) {
                const struct handler_change *change =
                        container_of(position, struct handler_change, link);

                ++*ret_changes;
                fresh += !change->committed && change->before[0] == '\0';
        }
        return fresh;
}

/* A place in the table, where need be that of the module which was removed first. */
static int make_place(struct handler_repository *repository, size_t fresh)
{
        const struct active_table *table = &repository->table;
        const struct handler_module *oldest = NULL;
        struct handler_module *empty;
        int r;

        if (table->count + fresh < ACTIVE_MODULES_MAX)
                return 0;
        for (size_t i = 0; i < table->count; i++)
                if (!handler_module_in_place(table->modules[i]) &&
                    !handler_change_of(&repository->changes, table->modules[i]->filename) &&
                    (!oldest || table->modules[i]->current.seq < oldest->current.seq))
                        oldest = table->modules[i];
        if (!oldest)
                return -EDQUOT;
        r = handler_module_new(oldest->filename, &empty);
        if (r == 0)
                r = repository_replace(repository, empty);
        return r < 0 ? r : 0;
}

/* May a change of this module begin? */
static int check_may_begin(struct handler_repository *repository, const char *filename,
                           const struct handler_module *module, struct error *error)
{
        struct handler_change *before = handler_change_of(&repository->changes, filename);
        size_t changes, fresh;
        int r;

        if (repository->visible_fd < 0 || repository->backups_fd < 0)
                return error_set(error, -ENOTDIR,
                                 "handlers or .backups in the state directory is not a folder");
        if (before && !before->committed)
                return error_set(error, -EBUSY, "a change of %s is under way", filename);
        if (before) {
                r = repository_finish(repository, before, false);
                if (r < 0)
                        return repository_failure(error, r, "finish the last change of", filename);
        }
        fresh = count_new(repository, &changes);
        if (changes >= HANDLER_STAGED_MAX)
                return error_set(error, -EBUSY, "%zu changes of modules are under way", changes);
        if ((!module || !handler_module_in_place(module)) &&
            active_table_in_place(&repository->table) + fresh >= HANDLER_MODULES_MAX)
                return error_set(error, -EDQUOT, "there are %d modules already",
                                 (int)HANDLER_MODULES_MAX);
        r = module ? 0 : make_place(repository, fresh);
        return r < 0 ? repository_failure(error, r, "make a place for", filename) : 0;
}

/* The change is written down, then the source. On failure neither is there. */
static int begin(struct handler_repository *repository, struct handler_change *change,
                 const void *source, size_t count)
{
        const char *suffix = handler_name_suffix(change->filename);
        int r = handler_journal_begin(&repository->journal, change, &repository->changes);

        if (r < 0)
                return r;
        list_append(&repository->changes, &change->link);
        if (change->after[0] == '\0')
                return 0;
        r = content_store_put(&repository->content, change->after, suffix, source, count);
        if (r == 0)
                return 0;
        list_remove(&change->link);
        if (!repository_refers(repository, change->after, suffix))
                content_store_drop(&repository->content, change->after, suffix);
        handler_journal_end(&repository->journal, change->id);
        return r;
}

int repository_stage(struct handler_repository *repository, enum handler_action action,
                     const char *filename, const void *source, size_t count,
                     const struct handler_origin *origin, struct handler_change **ret,
                     struct error *error)
{
        AUTO(handler_change) struct handler_change *change = NULL;
        const struct handler_module *module = active_table_find(&repository->table, filename);
        const struct handler_version *current = module ? &module->current : NULL;
        uint64_t bytes = (uint64_t)count + (current ? current->size : 0);
        int r = handler_change_new(&change);

        if (r < 0)
                return error_set(error, r, "not enough memory");
        change->id = repository->next_id;
        change->action = action;
        change->size = (uint32_t)count;
        snprintf(change->filename, sizeof(change->filename), "%s", filename);
        handler_change_set_origin(change, origin);
        if (current)
                memcpy(change->before, current->sha256, sizeof(change->before));
        if (action != HANDLER_REMOVE)
                handler_sha256(source, count, change->after);
        if (current && handler_module_in_place(module) && module->disabled[0] == '\0' &&
            strcmp(change->before, change->after) == 0)
                return HANDLER_UNCHANGED;

        r = check_may_begin(repository, filename, module, error);
        if (r < 0)
                return r;
        r = action == HANDLER_REMOVE ? 0 : repository_make_room(repository, bytes);
        if (r < 0)
                return r == -EDQUOT ? error_set(error, r,
                                                "no room for %s: modules and backups may take %llu "
                                                "bytes in all",
                                                filename,
                                                (unsigned long long)repository->retention.disk_max)
                                    : repository_failure(error, r, "make room for", filename);
        if (change->before[0] != '\0' && strcmp(change->before, change->after) != 0) {
                r = handler_backup_name_choose(repository->backups_fd, filename,
                                               repository->retention.now_s(), change->backup);
                if (r < 0)
                        return repository_failure(error, r, "choose the backup's name of",
                                                  filename);
        }
        r = begin(repository, change, source, count);
        if (r < 0)
                return repository_failure(error, r, "store", filename);
        repository->next_id++;
        *ret = TAKE(change);
        return 0;
}

int handler_repository_stage(struct handler_repository *repository, enum handler_action action,
                             const char *filename, const void *source, size_t count,
                             const struct handler_origin *origin, uint64_t *ret,
                             struct error *error)
{
        struct handler_change *change;
        int r;

        if (!handler_name_is_valid(filename) || action == HANDLER_REMOVE)
                return error_set(error, -EINVAL, "that is not a module's file name");
        if (count > HANDLER_SOURCE_MAX)
                return error_set(error, -EFBIG, "%s has %zu bytes; a module has at most %d",
                                 filename, count, (int)HANDLER_SOURCE_MAX);
        r = repository_stage(repository, action, filename, source, count, origin, &change, error);
        if (r == 0)
                *ret = change->id;
        return r;
}
