/* What lies in .backups/ after a start, against what the table says of it. */
#include "agent/handler/folder.h"
#include "agent/handler/recovery-internal.h"
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void recovery_check_backups(struct recovery *recovery, struct handler_module *module)
{
        struct handler_repository *repository = recovery->repository;

        for (size_t i = module->earlier_count; i-- > 0;) {
                const struct handler_version *version = &module->earlier[i];
                AUTO_FREE char *bytes = NULL;
                struct stat status;
                size_t count;
                int r;

                if (fstatat(repository->backups_fd, version->backup, &status,
                            AT_SYMLINK_NOFOLLOW) == 0 ||
                    errno != ENOENT)
                        continue;
                r = repository_source(repository, module->filename, version, &bytes, &count);
                if (r == 0)
                        r = durable_write(repository->backups_fd, version->backup, 0600, bytes,
                                          count);
                recovery_tell(recovery, true,
                              r == 0 ? ".backups/%s was missing and is there again"
                                     : ".backups/%s is missing",
                              version->backup);
                if (r == -EBADMSG) {
                        handler_module_drop_earlier(module, i);
                        recovery->changed = true;
                }
        }
}

bool recovery_knows_backup(const struct handler_repository *repository, const char *filename,
                           const char *backup)
{
        const struct handler_module *module = active_table_find(&repository->table, filename);

        return module && handler_module_has_backup(module, backup);
}

static void collect_stray(void *owner, int folder_fd, const char *name)
{
        struct recovery *recovery = owner;
        struct stray *stray = &recovery->strays[recovery->stray_count];
        char filename[HANDLER_NAME_MAX + 1];

        if (recovery->stray_count == STRAYS_MAX ||
            !handler_backup_name_parse(name, filename, &stray->time) ||
            recovery_knows_backup(recovery->repository, filename, name))
                return;
        snprintf(stray->name, sizeof(stray->name), "%s", name);
        recovery->stray_count++;
}

static int compare_strays(const void *a, const void *b)
{
        const struct stray *left = a, *right = b;

        if (left->time != right->time)
                return left->time < right->time ? -1 : 1;
        return strcmp(left->name, right->name);
}

/* A version that somebody put into .backups/, or whose table was lost, is a way back; one
 * whose source is known already is what an interrupted change left. */
static int adopt(struct recovery *recovery, const struct stray *stray)
{
        struct handler_repository *repository = recovery->repository;
        struct handler_version version = {.time = stray->time};
        struct handler_module *module, *previous;
        char filename[HANDLER_NAME_MAX + 1];
        AUTO_FREE char *bytes = NULL;
        size_t count;
        int r;

        (void)handler_backup_name_parse(stray->name, filename, NULL);
        r = durable_read_own(repository->backups_fd, stray->name, HANDLER_SOURCE_MAX, &bytes,
                             &count);
        if (r < 0) {
                recovery_tell(recovery, true, ".backups/%s is left alone: %s", stray->name,
                              strerror(-r));
                return r == -ENOMEM ? r : 0;
        }
        handler_sha256(bytes, count, version.sha256);
        version.size = (uint32_t)count;
        memcpy(version.backup, stray->name, sizeof(version.backup));
        module = active_table_find(&repository->table, filename);
        if (module && handler_module_version(module, version.sha256)) {
                (void)unlinkat(repository->backups_fd, stray->name, 0);
                return 0;
        }
        if (!module) {
                if (repository->table.count == ACTIVE_MODULES_MAX)
                        return 0;
                r = handler_module_new(filename, &module);
                if (r < 0)
                        return r;
                (void)active_table_put(&repository->table, module, &previous);
        }
        handler_module_add_earlier(module, &version);
        recovery->changed = true;
        return 0;
}

int recovery_adopt_strays(struct recovery *recovery)
{
        struct handler_repository *repository = recovery->repository;
        int r = 0;

        if (repository->backups_fd < 0)
                return 0;
        if (folder_each(repository->backups_fd, BACKUPS_MAX, collect_stray, recovery) != 0)
                recovery_tell(recovery, true, ".backups could not be looked at in full");
        qsort(recovery->strays, recovery->stray_count, sizeof(recovery->strays[0]), compare_strays);
        for (size_t i = 0; r == 0 && i < recovery->stray_count; i++)
                r = adopt(recovery, &recovery->strays[i]);
        return r;
}
