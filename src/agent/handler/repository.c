#include "agent/handler/repository.h"

#include "agent/handler/folder.h"
#include "agent/handler/repository-internal.h"
#include "agent/handler/update-log.h"
#include "base/clock.h"
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BACKUPS_DEFAULT = 10, DISK_DEFAULT = 64 << 20, DIGITS_MIN = 8 };

static int64_t real_time(void)
{
        return clock_realtime_ns() / 1000000000;
}

int repository_failure(struct error *error, int r, const char *what, const char *filename)
{
        return error_set(error, r, "cannot %s %s: %s", what, filename, strerror(-r));
}

static int open_folders(struct handler_repository *repository, int state_fd,
                        handler_report_fn *report, void *owner, struct error *error)
{
        int r = folder_open(state_fd, "handler-store", 0700, &repository->private_fd);

        if (r == 0)
                r = content_store_open(&repository->content, repository->private_fd);
        if (r < 0)
                return repository_failure(error, r, "enter the folder of", "handler-store");
        if (folder_open(state_fd, "handlers", 0755, &repository->visible_fd) < 0)
                report(owner, true,
                       "handlers is not a folder that can be entered: no module can "
                       "be changed");
        if (folder_open(state_fd, ".backups", 0755, &repository->backups_fd) < 0)
                report(owner, true,
                       ".backups is not a folder that can be entered: no module can "
                       "be changed");
        return 0;
}

int handler_repository_open(int state_fd, const struct handler_retention *retention,
                            handler_report_fn *report, void *owner, struct error *error,
                            struct handler_repository **ret)
{
        AUTO(handler_repository) struct handler_repository *repository = NULL;
        int r;

        repository = calloc(1, sizeof(*repository));
        if (!repository)
                return error_set(error, -ENOMEM, "not enough memory");
        repository->private_fd = repository->visible_fd = repository->backups_fd = -1;
        repository->content = (struct content_store){.sources_fd = -1, .objects_fd = -1};
        list_init(&repository->changes);
        repository->retention = *retention;
        if (repository->retention.backups == 0)
                repository->retention.backups = BACKUPS_DEFAULT;
        if (repository->retention.backups > HANDLER_EARLIER_MAX)
                repository->retention.backups = HANDLER_EARLIER_MAX;
        if (repository->retention.disk_max == 0)
                repository->retention.disk_max = DISK_DEFAULT;
        if (!repository->retention.now_s)
                repository->retention.now_s = real_time;

        r = open_folders(repository, state_fd, report, owner, error);
        if (r < 0)
                return r;
        r = repository_recover(repository, report, owner);
        if (r < 0)
                return repository_failure(error, r, "read", "handler-store");
        *ret = TAKE(repository);
        return 0;
}

struct handler_repository *handler_repository_free(struct handler_repository *repository)
{
        if (!repository)
                return NULL;
        while (!list_is_empty(&repository->changes))
                handler_change_free(
                        container_of(repository->changes.next, struct handler_change, link));
        active_table_done(&repository->table);
        content_store_close(&repository->content);
        if (repository->private_fd >= 0)
                close(repository->private_fd);
        if (repository->visible_fd >= 0)
                close(repository->visible_fd);
        if (repository->backups_fd >= 0)
                close(repository->backups_fd);
        free(repository);
        return NULL;
}

const struct handler_module *handler_repository_next(const struct handler_repository *repository,
                                                     size_t *position)
{
        while (*position < repository->table.count) {
                const struct handler_module *module = repository->table.modules[(*position)++];

                if (handler_module_in_place(module))
                        return module;
        }
        return NULL;
}

const struct handler_module *handler_repository_find(const struct handler_repository *repository,
                                                     const char *filename)
{
        return active_table_find(&repository->table, filename);
}

bool repository_refers(const void *owner, const char *sha256, const char *suffix)
{
        const struct handler_repository *repository = owner;

        if (active_table_refers(&repository->table, sha256, suffix))
                return true;
        list_for_each (&repository->changes, position) {
                const struct handler_change *change =
                        container_of(position, struct handler_change, link);

                if (strcmp(change->after, sha256) == 0 &&
                    strcmp(handler_name_suffix(change->filename), suffix) == 0)
                        return true;
        }
        return false;
}

static void drop_source(struct handler_repository *repository, const char *sha256,
                        const char *suffix)
{
        if (sha256[0] != '\0' && !repository_refers(repository, sha256, suffix))
                content_store_drop(&repository->content, sha256, suffix);
}

/* What only `previous` needed. */
static void drop_leftovers(struct handler_repository *repository,
                           const struct handler_module *previous)
{
        const char *suffix = handler_name_suffix(previous->filename);
        const struct handler_module *now =
                active_table_find(&repository->table, previous->filename);

        drop_source(repository, previous->current.sha256, suffix);
        for (size_t i = 0; i < previous->earlier_count; i++) {
                drop_source(repository, previous->earlier[i].sha256, suffix);
                if (!now || !handler_module_has_backup(now, previous->earlier[i].backup))
                        (void)unlinkat(repository->backups_fd, previous->earlier[i].backup, 0);
        }
}

int repository_replace(struct handler_repository *repository, struct handler_module *module)
{
        AUTO(handler_module) struct handler_module *forgotten = NULL, *previous = NULL;
        struct active_table *table = &repository->table;
        const uint64_t seq = table->seq;
        int r = 0;

        if (module->current.seq > table->seq)
                table->seq = module->current.seq;
        if (handler_module_in_place(module) || module->earlier_count > 0) {
                r = active_table_put(table, module, &previous);
                if (r < 0)
                        handler_module_free(module);
        } else {
                forgotten = module;
                previous = active_table_take(table, module->filename);
        }
        if (r == 0) {
                r = active_table_save(table, repository->private_fd);
                if (r < 0) {
                        struct handler_module *undone = NULL;

                        /* There is room for what was there a moment ago. */
                        if (previous)
                                (void)active_table_put(table, TAKE(previous), &undone);
                        else
                                undone = active_table_take(table, module->filename);
                        handler_module_free(undone);
                }
        }
        if (r < 0)
                table->seq = seq;
        /* What may come back with the next power cut must find its files. */
        else if (r == 0 && previous)
                drop_leftovers(repository, previous);
        if (r == 0 && forgotten)
                repository_note_forgotten(repository, forgotten->filename);
        return r;
}

void repository_note_forgotten(struct handler_repository *repository, const char *filename)
{
        if (repository->forgotten_count < HANDLER_MODULES_MAX)
                snprintf(repository->forgotten[repository->forgotten_count++], HANDLER_NAME_MAX + 1,
                         "%s", filename);
}

bool handler_repository_take_forgotten(struct handler_repository *repository, char *ret)
{
        while (repository->forgotten_count > 0) {
                const char *filename = repository->forgotten[--repository->forgotten_count];

                /* It may be back, or on its way. */
                if (active_table_find(&repository->table, filename) ||
                    handler_change_of(&repository->changes, filename))
                        continue;
                memcpy(ret, filename, HANDLER_NAME_MAX + 1);
                return true;
        }
        return false;
}

int repository_source(struct handler_repository *repository, const char *filename,
                      const struct handler_version *version, char **ret, size_t *ret_count)
{
        const char *suffix = handler_name_suffix(filename);
        int first =
                content_store_get(&repository->content, version->sha256, suffix, ret, ret_count);
        int r = first;

        if (!folder_is_damage(first))
                return first;
        if (version->backup[0] != '\0')
                r = content_copy_get(repository->backups_fd, version->backup, version->sha256, ret,
                                     ret_count);
        if (r < 0)
                r = content_copy_get(repository->visible_fd, filename, version->sha256, ret,
                                     ret_count);
        if (r < 0)
                return first == -ENOENT || folder_is_damage(r) ? -EBADMSG : r;
        /* On a disk that takes nothing, the copy goes on serving. */
        (void)content_store_put(&repository->content, version->sha256, suffix, *ret, *ret_count);
        return 0;
}

int handler_repository_read(struct handler_repository *repository, const char *filename,
                            const char *sha256, char **ret, size_t *ret_count, struct error *error)
{
        const struct handler_module *module = active_table_find(&repository->table, filename);
        const struct handler_version *version =
                module ? handler_module_version(module, sha256) : NULL;
        int r;

        if (!version)
                return error_set(error, -ENOENT, "%s has no such version", filename);
        r = repository_source(repository, filename, version, ret, ret_count);
        return r < 0 ? repository_failure(error, r, "read the source of", filename) : 0;
}

/* The newest good one other than the one in place, else the newest that is not bad, else
 * the newest. */
static const struct handler_version *default_target(const struct handler_module *module)
{
        const struct handler_version *not_bad = NULL, *any = NULL;

        for (size_t i = 0; i < module->earlier_count; i++) {
                const struct handler_version *version = &module->earlier[i];

                if (strcmp(version->sha256, module->current.sha256) == 0)
                        continue;
                if (version->state == HANDLER_GOOD)
                        return version;
                if (!not_bad && version->state != HANDLER_BAD)
                        not_bad = version;
                if (!any)
                        any = version;
        }
        return not_bad ? not_bad : any;
}

static int target_by_digits(const struct handler_module *module, const char *digits,
                            struct handler_version *ret)
{
        const struct handler_version *found = NULL;
        size_t length = strlen(digits);

        for (size_t i = 0; i < module->earlier_count; i++) {
                const struct handler_version *version = &module->earlier[i];

                if (strncmp(version->sha256, digits, length) != 0)
                        continue;
                if (found)
                        return HANDLER_ROLLBACK_AMBIGUOUS;
                found = version;
        }
        if (strncmp(module->current.sha256, digits, length) == 0)
                return found && strcmp(found->sha256, module->current.sha256) != 0
                               ? HANDLER_ROLLBACK_AMBIGUOUS
                               : HANDLER_ROLLBACK_IN_PLACE;
        if (!found)
                return HANDLER_ROLLBACK_NONE;
        *ret = *found;
        return HANDLER_ROLLBACK_FOUND;
}

static int target_by_backup(const struct handler_module *module, const char *backup,
                            struct handler_version *ret)
{
        for (size_t i = 0; i < module->earlier_count; i++) {
                if (strcmp(module->earlier[i].backup, backup) != 0)
                        continue;
                if (strcmp(module->earlier[i].sha256, module->current.sha256) == 0)
                        return HANDLER_ROLLBACK_IN_PLACE;
                *ret = module->earlier[i];
                return HANDLER_ROLLBACK_FOUND;
        }
        return HANDLER_ROLLBACK_NONE;
}

int handler_repository_rollback_target(const struct handler_repository *repository,
                                       const char *filename, const char *version,
                                       struct handler_version *ret)
{
        const struct handler_module *module;
        const struct handler_version *target;
        size_t length;

        if (!handler_name_is_valid(filename))
                return -EINVAL;
        module = active_table_find(&repository->table, filename);
        if (!version) {
                target = module ? default_target(module) : NULL;
                if (!target)
                        return HANDLER_ROLLBACK_NONE;
                *ret = *target;
                return HANDLER_ROLLBACK_FOUND;
        }
        if (strncmp(version, ".backups/", strlen(".backups/")) == 0)
                version += strlen(".backups/");
        length = strlen(version);
        if (length >= DIGITS_MIN && length <= HANDLER_SHA256_HEX &&
            strspn(version, "0123456789abcdef") == length)
                return module ? target_by_digits(module, version, ret) : HANDLER_ROLLBACK_NONE;
        if (strncmp(version, "handlers_", strlen("handlers_")) != 0 || strchr(version, '/'))
                return -EINVAL;
        return module ? target_by_backup(module, version, ret) : HANDLER_ROLLBACK_NONE;
}

void handler_repository_backups(const struct handler_repository *repository, const char *filename,
                                handler_backup_fn *each, void *owner)
{
        for (size_t i = 0; i < repository->table.count; i++) {
                const struct handler_module *module = repository->table.modules[i];
                struct handler_backup backup = {0};

                if (filename && strcmp(module->filename, filename) != 0)
                        continue;
                memcpy(backup.filename, module->filename, sizeof(backup.filename));
                for (size_t j = 0; j < module->earlier_count; j++) {
                        backup.version = module->earlier[j];
                        each(owner, &backup);
                }
        }
}

int handler_repository_object_store(struct handler_repository *repository, const char *sha256,
                                    const char *compiler, const void *object, size_t count)
{
        int r;

        if (!handler_sha256_is_valid(sha256) || !repository_refers(repository, sha256, ".c"))
                return -ENOENT;
        if (count > HANDLER_OBJECT_MAX)
                return -EFBIG;
        r = repository_make_room(repository, count);
        if (r < 0)
                return r;
        return content_store_put_object(&repository->content, sha256, compiler, object, count);
}

int handler_repository_object_read(struct handler_repository *repository, const char *sha256,
                                   const char *compiler, char **ret, size_t *ret_count)
{
        if (!handler_sha256_is_valid(sha256))
                return -ENOENT;
        return content_store_get_object(&repository->content, sha256, compiler, ret, ret_count);
}

int handler_repository_log(struct handler_repository *repository,
                           const struct handler_log_entry *entry)
{
        return update_log_append(repository->private_fd, entry, 0, repository->retention.now_s());
}

int handler_repository_log_query(struct handler_repository *repository, const char *filename,
                                 size_t limit, struct buffer *out)
{
        return update_log_query(repository->private_fd, filename, limit, out);
}
