/* handlers/: what people see, and what they put there. */
#include "agent/handler/folder.h"
#include "agent/handler/repository-internal.h"
#include "base/attributes.h"
#include "base/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct scan {
        struct handler_repository *repository;
        handler_report_fn *report;
        void *owner;
        struct handler_candidate *candidates;
        size_t count, max;
};

static void PRINTF_LIKE(3, 4) tell(const struct scan *scan, bool trouble, const char *format, ...)
{
        char line[ERROR_TEXT_MAX];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        if (scan->report)
                scan->report(scan->owner, trouble, line);
}

static const char *why_not(int r)
{
        return r == -ELOOP    ? "a link"
               : r == -EISDIR ? "a folder"
               : r == -EFBIG  ? "too large"
               : r == -EINVAL ? "not a plain file"
                              : strerror(-r);
}

static void add_candidate(struct scan *scan, const char *filename, const char *sha256)
{
        struct handler_candidate *candidate;

        if (scan->count == scan->max) {
                tell(scan, true, "handlers/%s has to wait: too many files were changed", filename);
                return;
        }
        candidate = &scan->candidates[scan->count++];
        snprintf(candidate->filename, sizeof(candidate->filename), "%s", filename);
        snprintf(candidate->sha256, sizeof(candidate->sha256), "%s", sha256);
}

/* Looks at one file; what is in place and lacks its file gets it back. */
static void look_at(struct scan *scan, const char *filename)
{
        struct handler_repository *repository = scan->repository;
        const struct handler_module *module = active_table_find(&repository->table, filename);
        char digest[HANDLER_SHA256_HEX + 1];
        AUTO_FREE char *bytes = NULL;
        size_t count;
        int r = handler_repository_read_visible(repository, filename, &bytes, &count);

        if (module && !handler_module_in_place(module))
                module = NULL;
        if (r == -ENOENT && module) {
                r = repository_source(repository, filename, &module->current, &bytes, &count);
                if (r == 0)
                        r = durable_write(repository->visible_fd, filename, 0644, bytes, count);
                if (r == 0)
                        tell(scan, false, "handlers/%s was missing and is there again", filename);
                else
                        tell(scan, true, "handlers/%s is missing: %s", filename, strerror(-r));
                return;
        }
        if (r < 0) {
                if (r != -ENOENT)
                        tell(scan, true, "handlers/%s is left alone: %s", filename, why_not(r));
                return;
        }
        handler_sha256(bytes, count, digest);
        if (!module || strcmp(module->current.sha256, digest) != 0)
                add_candidate(scan, filename, digest);
}

static void look_at_entry(void *owner, int folder_fd, const char *name)
{
        struct scan *scan = owner;
        char shown[HANDLER_NAME_MAX + 1];

        if (name[0] == '.')
                return;
        if (handler_name_is_valid(name)) {
                look_at(scan, name);
                return;
        }
        /* Python makes __pycache__ beside what somebody tries out. */
        if (strcmp(name, "__pycache__") == 0)
                return;
        snprintf(shown, sizeof(shown), "%s", name);
        tell(scan, true, "handlers/%s is left alone: not the name of a module", shown);
}

static void finish_changes(struct handler_repository *repository)
{
        list_for_each (&repository->changes, position) {
                struct handler_change *change = container_of(position, struct handler_change, link);

                /* What fails is tried again at the next opportunity. */
                if (change->committed)
                        (void)repository_finish(repository, change, false);
        }
}

static int scan_all(struct scan *scan)
{
        struct handler_repository *repository = scan->repository;
        int r = folder_each(repository->visible_fd, VISIBLE_MAX, look_at_entry, scan);

        if (r > 0)
                tell(scan, true, "handlers has more than %d files: the rest is left alone",
                     (int)VISIBLE_MAX);
        for (size_t i = 0; r >= 0 && i < repository->table.count; i++) {
                const struct handler_module *module = repository->table.modules[i];
                struct stat status;

                if (handler_module_in_place(module) &&
                    fstatat(repository->visible_fd, module->filename, &status,
                            AT_SYMLINK_NOFOLLOW) < 0 &&
                    errno == ENOENT)
                        look_at(scan, module->filename);
        }
        return r < 0 ? r : 0;
}

int handler_repository_scan(struct handler_repository *repository, const char *filename,
                            handler_report_fn *report, void *owner,
                            struct handler_candidate *candidates, size_t max)
{
        struct scan scan = {repository, report, owner, candidates, 0, max};
        int r = 0;

        if (repository->visible_fd < 0)
                return -ENOTDIR;
        if (filename && !handler_name_is_valid(filename))
                return -EINVAL;
        finish_changes(repository);
        if (filename)
                look_at(&scan, filename);
        else
                r = scan_all(&scan);
        return r < 0 ? r : (int)scan.count;
}

int handler_repository_read_visible(struct handler_repository *repository, const char *filename,
                                    char **ret, size_t *ret_count)
{
        if (!handler_name_is_valid(filename))
                return -EINVAL;
        if (repository->visible_fd < 0)
                return -ENOTDIR;
        return durable_read_own(repository->visible_fd, filename, HANDLER_SOURCE_MAX, ret,
                                ret_count);
}
