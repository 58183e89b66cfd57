#include "supervisor/hold-table.h"

#include "supervisor/run-file.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

struct hold_table {
        const struct line_driver *driver;
        int directory_fd;
        pthread_mutex_t lock;
        size_t count;
        struct guard_hold holds[GUARD_HOLDS_MAX];
        int descriptors[GUARD_HOLDS_MAX];
        /* What is about to be: recorded before it is true. */
        struct guard_hold next[GUARD_HOLDS_MAX];
};

int hold_table_new(const struct line_driver *driver, int directory_fd, struct hold_table **ret)
{
        struct hold_table *table = calloc(1, sizeof(*table));
        pthread_mutexattr_t attributes;
        int r;

        if (!table)
                return -ENOMEM;
        table->driver = driver;
        table->directory_fd = directory_fd;
        r = pthread_mutexattr_init(&attributes);
        if (r == 0) {
                /* Whoever holds it must not be held up while the other waits to make safe. */
                r = pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
                if (r == 0)
                        r = pthread_mutex_init(&table->lock, &attributes);
                pthread_mutexattr_destroy(&attributes);
        }
        if (r != 0) {
                free(table);
                return -r;
        }
        *ret = table;
        return 0;
}

struct hold_table *hold_table_free(struct hold_table *table)
{
        if (!table)
                return NULL;
        for (size_t i = 0; i < table->count; i++)
                close(table->descriptors[i]);
        pthread_mutex_destroy(&table->lock);
        free(table);
        return NULL;
}

size_t hold_table_count(const struct hold_table *table)
{
        return table->count;
}

const struct guard_hold *hold_table_at(const struct hold_table *table, size_t i, int *ret_fd)
{
        *ret_fd = table->descriptors[i];
        return &table->holds[i];
}

static size_t find(const struct hold_table *table, uint64_t id)
{
        size_t i = 0;

        while (i < table->count && table->holds[i].id != id)
                i++;
        return i;
}

static int record(struct hold_table *table, size_t count)
{
        return table->directory_fd < 0 ? 0
                                       : run_file_write(table->directory_fd, table->next, count);
}

int hold_table_put(struct hold_table *table, const struct guard_hold *hold, int fd)
{
        size_t i = find(table, hold->id);
        size_t count = i < table->count ? table->count : i + 1;
        AUTO_CLOSE int replaced = -1;
        int r;

        if (i == GUARD_HOLDS_MAX)
                return -ENOSPC;
        r = hold_verify(table->driver, hold, fd);
        if (r < 0)
                return r;
        memcpy(table->next, table->holds, table->count * sizeof(*hold));
        table->next[i] = *hold;
        r = record(table, count);
        if (r < 0)
                return r;

        pthread_mutex_lock(&table->lock);
        if (i < table->count)
                replaced = table->descriptors[i];
        table->holds[i] = *hold;
        table->descriptors[i] = fd;
        table->count = count;
        pthread_mutex_unlock(&table->lock);
        return 0;
}

int hold_table_remove(struct hold_table *table, uint64_t id)
{
        size_t i = find(table, id), last = table->count - 1;
        AUTO_CLOSE int removed = -1;
        int r;

        if (i == table->count)
                return -ENOENT;
        memcpy(table->next, table->holds, table->count * sizeof(table->holds[0]));
        table->next[i] = table->next[last];
        r = record(table, last);
        if (r < 0)
                return r;

        pthread_mutex_lock(&table->lock);
        removed = table->descriptors[i];
        table->holds[i] = table->holds[last];
        table->descriptors[i] = table->descriptors[last];
        table->count = last;
        pthread_mutex_unlock(&table->lock);
        return 0;
}

void hold_table_make_safe(struct hold_table *table, struct hold_result *ret)
{
        uint64_t left = 0;

        *ret = (struct hold_result){0};
        pthread_mutex_lock(&table->lock);
        for (size_t i = 0; i < table->count; i++)
                if (!hold_switch(table->driver, &table->holds[i], table->descriptors[i], ret))
                        left |= UINT64_C(1) << i;
        for (size_t i = 0; i < table->count; i++)
                if (left & UINT64_C(1) << i)
                        hold_reconfigure(table->driver, &table->holds[i], table->descriptors[i],
                                         ret);
        pthread_mutex_unlock(&table->lock);
}

_Static_assert(GUARD_HOLDS_MAX <= 64, "one bit for each");
