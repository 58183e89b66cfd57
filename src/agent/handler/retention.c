/* How many backups are kept, how long, and in how many bytes. The newest good version of
 * a module other than the one in place is never given up. */
#include "agent/handler/repository-internal.h"

#include <errno.h>

/* 2020 to 2100: a clock outside was never set, or is broken, and knows no ages. */
#define CLOCK_FROM INT64_C(1577836800)
#define CLOCK_TO INT64_C(4102444800)
#define DAY_S INT64_C(86400)

static bool is_too_old(const struct handler_repository *repository,
                       const struct handler_version *version)
{
        int64_t now = repository->retention.now_s();
        unsigned days = repository->retention.age_days;

        return days > 0 && version->time >= CLOCK_FROM && now <= CLOCK_TO && now > version->time &&
               now - version->time > (int64_t)days * DAY_S;
}

void repository_trim(const struct handler_repository *repository, struct handler_module *module)
{
        /* From the oldest on. */
        for (size_t i = module->earlier_count; i-- > 0;)
                if (i != handler_module_last_good(module) &&
                    (module->earlier_count > repository->retention.backups ||
                     is_too_old(repository, &module->earlier[i])))
                        handler_module_drop_earlier(module, i);
}

/* Sources of earlier versions lie there twice: in the store and as backups. */
static uint64_t bytes_used(const struct handler_repository *repository)
{
        uint64_t bytes = repository->content.object_bytes;

        for (size_t i = 0; i < repository->table.count; i++) {
                const struct handler_module *module = repository->table.modules[i];

                bytes += module->current.size;
                for (size_t j = 0; j < module->earlier_count; j++)
                        bytes += 2 * (uint64_t)module->earlier[j].size;
        }
        list_for_each (&repository->changes, position) {
                const struct handler_change *change =
                        container_of(position, struct handler_change, link);

                bytes += change->committed ? 0 : change->size;
        }
        return bytes;
}

/* The oldest version that may go, of all modules; NULL: none may. */
static const struct handler_module *oldest_backup(const struct handler_repository *repository,
                                                  size_t *ret)
{
        const struct handler_module *oldest = NULL;

        for (size_t i = 0; i < repository->table.count; i++) {
                const struct handler_module *module = repository->table.modules[i];
                size_t j = module->earlier_count, good = handler_module_last_good(module);

                if (j > 0 && --j == good && j > 0)
                        j--;
                if (module->earlier_count == 0 || j == good)
                        continue;
                if (!oldest || module->earlier[j].seq < oldest->earlier[*ret].seq) {
                        oldest = module;
                        *ret = j;
                }
        }
        return oldest;
}

int repository_make_room(struct handler_repository *repository, uint64_t bytes)
{
        while (bytes_used(repository) + bytes > repository->retention.disk_max) {
                size_t index = 0;
                const struct handler_module *module = oldest_backup(repository, &index);
                struct handler_module *next;
                int r;

                if (!module)
                        return -EDQUOT;
                r = handler_module_clone(module, &next);
                if (r < 0)
                        return r;
                handler_module_drop_earlier(next, index);
                r = repository_replace(repository, next);
                if (r < 0)
                        return r;
        }
        return 0;
}
