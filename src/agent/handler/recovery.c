/* From whatever a kill, a power cut or a person left on the disk to a table that is
 * true. Memory first, then one save; a disk that takes no writes still serves. */
#include "agent/handler/folder.h"
#include "agent/handler/recovery-internal.h"
#include "agent/handler/update-log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void recovery_tell(const struct recovery *recovery, bool trouble, const char *format, ...)
{
        char line[ERROR_TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        recovery->report(recovery->owner, trouble, line);
}

static void note(struct recovery *recovery, const char *filename, const char *result,
                 const char *message)
{
        struct note *n;

        recovery_tell(recovery, true, "%s: %s", filename, message);
        if (recovery->note_count == HANDLER_MODULES_MAX)
                return;
        n = &recovery->notes[recovery->note_count++];
        snprintf(n->filename, sizeof(n->filename), "%s", filename);
        snprintf(n->message, sizeof(n->message), "%s", message);
        n->result = result;
}

/* --- the table --- */

static int load_table(struct recovery *recovery)
{
        static const char *const words[] = {
                [ACTIVE_READ_PREVIOUS] =
                        "active.json is damaged or missing: the one before it is used",
                [ACTIVE_LOST] =
                        "active.json and the one before it are damaged: the files in handlers "
                        "will be checked anew",
        };
        struct handler_repository *repository = recovery->repository;
        int r = active_table_load(&repository->table, repository->private_fd);

        if (r < 0)
                return r;
        recovery->source = (enum active_source)r;
        if (r == ACTIVE_READ_PREVIOUS || r == ACTIVE_LOST) {
                recovery_tell(recovery, true, "%s", words[r]);
                recovery->changed = true;
        }
        return 0;
}

static void highest(void *owner, uint64_t seq)
{
        uint64_t *next = owner;

        if (seq >= *next)
                *next = seq + 1;
}

static int load_changes(struct recovery *recovery)
{
        struct handler_repository *repository = recovery->repository;
        int r = handler_journal_open(&repository->journal, repository->private_fd,
                                     &repository->changes);

        if (r < 0)
                return r;
        recovery->journal_torn = r > 0;
        if (r > 0)
                recovery_tell(recovery, true, "the journal's end is damaged: cut off");
        repository->next_id = 1;
        highest(&repository->next_id, repository->table.seq);
        list_for_each (&repository->changes, position)
                highest(&repository->next_id,
                        container_of(position, struct handler_change, link)->id);
        return update_log_each_seq(repository->private_fd, highest, &repository->next_id);
}

/* --- the version in place of each module --- */

/* The newest earlier version of which a whole copy is left; false: none. Good ones first. */
static bool last_whole(struct handler_repository *repository, const struct handler_module *module,
                       enum handler_state state, struct handler_version *ret)
{
        for (size_t i = 0; i < module->earlier_count; i++) {
                const struct handler_version *version = &module->earlier[i];
                AUTO_FREE char *bytes = NULL;
                size_t count;

                if (version->state == state &&
                    strcmp(version->sha256, module->current.sha256) != 0 &&
                    repository_source(repository, module->filename, version, &bytes, &count) == 0) {
                        *ret = *version;
                        return true;
                }
        }
        return false;
}

static void check_current(struct recovery *recovery, struct handler_module *module)
{
        struct handler_repository *repository = recovery->repository;
        struct handler_version target;
        AUTO_FREE char *bytes = NULL;
        size_t count;
        int r = repository_source(repository, module->filename, &module->current, &bytes, &count);

        if (r == 0)
                return;
        if (!folder_is_damage(r)) {
                recovery_tell(recovery, true, "cannot read the source of %s: %s", module->filename,
                              strerror(-r));
                return;
        }
        if (last_whole(repository, module, HANDLER_GOOD, &target) ||
            last_whole(repository, module, HANDLER_UNTRIED, &target)) {
                module->current = target;
                module->current.backup[0] = '\0';
                module->current.seq = repository->next_id++;
                module->current.time = repository->retention.now_s();
                module->disabled[0] = '\0';
                repository->table.seq = module->current.seq;
                recovery->changed = true;
                note(recovery, module->filename, "restored",
                     "its source was missing or damaged: an earlier version is in place");
                return;
        }
        if (module->disabled[0] != '\0')
                return;
        snprintf(module->disabled, sizeof(module->disabled),
                 "its source is missing or damaged, and no earlier version is whole");
        recovery->changed = true;
        note(recovery, module->filename, "disabled", module->disabled);
}

/* --- changes that had begun --- */

static bool is_committed(const struct handler_repository *repository,
                         const struct handler_change *change)
{
        const struct handler_module *module =
                active_table_find(&repository->table, change->filename);

        return module && handler_module_version_by_seq(module, change->id);
}

/* What it had made of its backup goes before strays are looked for. */
static void drop_begun_backup(struct recovery *recovery, const struct handler_change *change)
{
        struct handler_repository *repository = recovery->repository;

        if (change->backup[0] != '\0' &&
            !recovery_knows_backup(repository, change->filename, change->backup))
                (void)unlinkat(repository->backups_fd, change->backup, 0);
}

static void mark_changes(struct recovery *recovery)
{
        list_for_each (&recovery->repository->changes, position) {
                struct handler_change *change = container_of(position, struct handler_change, link);

                change->committed = is_committed(recovery->repository, change);
                if (!change->committed)
                        drop_begun_backup(recovery, change);
        }
}

static void mark_logged(void *owner, uint64_t seq)
{
        struct handler_change *change = handler_change_find(owner, seq);

        if (change)
                change->logged = true;
}

static void end_change(struct recovery *recovery, struct handler_change *change)
{
        struct handler_repository *repository = recovery->repository;
        char filename[HANDLER_NAME_MAX + 1];
        bool committed = change->committed, logged = change->logged;
        int r;

        memcpy(filename, change->filename, sizeof(filename));
        if (committed)
                r = repository_finish(repository, change, true);
        else if (!logged)
                r = handler_repository_abandon(repository, change->id, "interrupted", NULL,
                                               "the agent ended before the switch: the version "
                                               "before is in place");
        else {
                handler_journal_end(&repository->journal, change->id);
                handler_change_free(change);
                r = 0;
        }
        recovery->unfinished |= r < 0;
        if (r < 0)
                recovery_tell(recovery, true,
                              "%s: a change was interrupted, and cannot be ended now: %s", filename,
                              strerror(-r));
        else if (!logged)
                recovery_tell(
                        recovery, false,
                        committed
                                ? "%s: a change was interrupted after the switch and is finished"
                                : "%s: a change was interrupted before the switch and is forgotten",
                        filename);
}

static int end_changes(struct recovery *recovery)
{
        struct handler_repository *repository = recovery->repository;
        int r = update_log_each_seq(repository->private_fd, mark_logged, &repository->changes);

        if (r < 0)
                return r;
        list_for_each (&repository->changes, position)
                end_change(recovery, container_of(position, struct handler_change, link));
        /* A failure shows at the next begin, which tries again. */
        if (!recovery->unfinished && (recovery->journal_torn || repository->journal.size > 0))
                (void)handler_journal_rewrite(&repository->journal, &repository->changes);
        return 0;
}

/* --- all of it --- */

static void log_notes(struct recovery *recovery)
{
        struct handler_repository *repository = recovery->repository;

        for (size_t i = 0; i < recovery->note_count; i++) {
                const struct handler_log_entry entry = {
                        .origin = {.who = "agent", .from = "start"},
                        .filename = recovery->notes[i].filename,
                        .what = "recovery",
                        .result = recovery->notes[i].result,
                        .message = recovery->notes[i].message,
                };

                (void)handler_repository_log(repository, &entry);
        }
}

static void note_dropped(struct recovery *recovery, const struct handler_module *before,
                         const struct handler_module *now)
{
        for (size_t i = 0; i < before->earlier_count; i++) {
                const struct handler_version *version = &before->earlier[i];

                if (handler_module_has_backup(now, version->backup))
                        continue;
                recovery->changed = true;
                if (recovery->dropped_count < DROPPED_MAX)
                        memcpy(recovery->dropped[recovery->dropped_count++], version->backup,
                               sizeof(version->backup));
        }
}

static int trim_all(struct recovery *recovery)
{
        struct active_table *table = &recovery->repository->table;

        for (size_t i = table->count; i-- > 0;) {
                AUTO(handler_module) struct handler_module *before = NULL;
                struct handler_module *module = table->modules[i];
                int r = handler_module_clone(module, &before);

                if (r < 0)
                        return r;
                repository_trim(recovery->repository, module);
                note_dropped(recovery, before, module);
                if (!handler_module_in_place(module) && module->earlier_count == 0) {
                        repository_note_forgotten(recovery->repository, module->filename);
                        handler_module_free(active_table_take(table, module->filename));
                        recovery->changed = true;
                }
        }
        return 0;
}

static void save(struct recovery *recovery)
{
        struct handler_repository *repository = recovery->repository;
        int r = recovery->changed ? active_table_save(&repository->table, repository->private_fd)
                                  : 0;

        if (r != 0) {
                recovery_tell(recovery, true, "cannot write active.json: %s",
                              r < 0 ? strerror(-r) : "the disk did not confirm it");
                return;
        }
        log_notes(recovery);
        for (size_t i = 0; i < recovery->dropped_count; i++)
                (void)unlinkat(repository->backups_fd, recovery->dropped[i], 0);
        /* After a loss the sources may be all that is left: they stay until the next start. */
        if (recovery->source != ACTIVE_LOST)
                content_store_collect(&repository->content, repository_refers, repository);
}

static void clean_folders(struct recovery *recovery)
{
        static const char *const files[] = {"active.json", "active.json.prev", "journal",
                                            "update.log", "update.log.1"};
        struct handler_repository *repository = recovery->repository;

        folder_sweep(repository->private_fd);
        folder_sweep(repository->content.sources_fd);
        folder_sweep(repository->content.objects_fd);
        if (repository->visible_fd >= 0)
                folder_sweep(repository->visible_fd);
        if (repository->backups_fd >= 0)
                folder_sweep(repository->backups_fd);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++)
                if (folder_clear(repository->private_fd, files[i]))
                        recovery_tell(recovery, true,
                                      "handler-store/%s was no plain file: out of the way",
                                      files[i]);
}

static int recover(struct recovery *recovery)
{
        struct active_table *table = &recovery->repository->table;
        int r;

        clean_folders(recovery);
        r = load_table(recovery);
        if (r == 0)
                r = load_changes(recovery);
        if (r < 0)
                return r;
        mark_changes(recovery);
        for (size_t i = 0; i < table->count; i++)
                if (handler_module_in_place(table->modules[i]))
                        check_current(recovery, table->modules[i]);
        if (recovery->repository->backups_fd >= 0)
                for (size_t i = 0; i < table->count; i++)
                        recovery_check_backups(recovery, table->modules[i]);
        r = recovery_adopt_strays(recovery);
        if (r < 0)
                return r;
        r = trim_all(recovery);
        if (r < 0)
                return r;
        save(recovery);
        return end_changes(recovery);
}

int repository_recover(struct handler_repository *repository, handler_report_fn *report,
                       void *owner)
{
        AUTO_FREE struct recovery *recovery = calloc(1, sizeof(*recovery));

        if (!recovery)
                return -ENOMEM;
        recovery->repository = repository;
        recovery->report = report;
        recovery->owner = owner;
        return recover(recovery);
}
