#include "agent/handler/active-table.h"

#include <errno.h>
#include <string.h>

void active_table_done(struct active_table *table)
{
        for (size_t i = 0; i < table->count; i++)
                handler_module_free(table->modules[i]);
        memset(table, 0, sizeof(*table));
}

/* Where it is; false: where it belongs. */
static bool locate(const struct active_table *table, const char *filename, size_t *ret)
{
        size_t low = 0, high = table->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;
                int order = strcmp(table->modules[middle]->filename, filename);

                if (order == 0) {
                        *ret = middle;
                        return true;
                }
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        *ret = low;
        return false;
}

struct handler_module *active_table_find(const struct active_table *table, const char *filename)
{
        size_t at;

        return locate(table, filename, &at) ? table->modules[at] : NULL;
}

int active_table_put(struct active_table *table, struct handler_module *module,
                     struct handler_module **ret_previous)
{
        size_t at;

        if (locate(table, module->filename, &at)) {
                *ret_previous = table->modules[at];
                table->modules[at] = module;
                return 0;
        }
        if (table->count == ACTIVE_MODULES_MAX)
                return -ENOSPC;
        memmove(&table->modules[at + 1], &table->modules[at],
                (table->count - at) * sizeof(table->modules[0]));
        table->modules[at] = module;
        table->count++;
        *ret_previous = NULL;
        return 0;
}

struct handler_module *active_table_take(struct active_table *table, const char *filename)
{
        struct handler_module *module;
        size_t at;

        if (!locate(table, filename, &at))
                return NULL;
        module = table->modules[at];
        table->count--;
        memmove(&table->modules[at], &table->modules[at + 1],
                (table->count - at) * sizeof(table->modules[0]));
        return module;
}

size_t active_table_in_place(const struct active_table *table)
{
        size_t count = 0;

        for (size_t i = 0; i < table->count; i++)
                count += handler_module_in_place(table->modules[i]);
        return count;
}

bool active_table_refers(const struct active_table *table, const char *sha256, const char *suffix)
{
        for (size_t i = 0; i < table->count; i++)
                if (strcmp(handler_name_suffix(table->modules[i]->filename), suffix) == 0 &&
                    handler_module_version(table->modules[i], sha256))
                        return true;
        return false;
}
