/* agent/handler/active-table.h - which version of which module is in place, and
 * its file: the one whose rename switches versions.
 *
 *     {"format":1,"gen":7,"seq":9,"modules":{"x.py":{"sha256":…,"seq":9,"time":…,"size":…,
 *      "state":"good","disabled":…,"earlier":[{…,"backup":…}]}},"crc":"89abcdef"}
 *
 * `crc` is of all bytes before `,"crc"`. A reader of a later release reads this
 * format too. active.json.prev is the generation before, for the day the disk forgets.
 * Blocking; one thread. */
#pragma once

#include "agent/handler/module.h"
#include "base/buffer.h"

enum {
        ACTIVE_FORMAT = 1,
        ACTIVE_MODULES_MAX = 512,      /* in place or removed */
        ACTIVE_BYTES_MAX = 8 << 20,    /* of the file */
        ACTIVE_COMMITTED_UNSYNCED = 1, /* outcome of active_table_save() */
};

struct active_table {
        uint64_t generation;
        uint64_t seq;   /* the highest that was ever given */
        size_t count;   /* sorted by file name */
        bool distrusts; /* the file on the disk is damaged: it must not become .prev */
        struct handler_module *modules[ACTIVE_MODULES_MAX];
};

void active_table_done(struct active_table *table); /* frees the modules, zeroes it */

struct handler_module *active_table_find(const struct active_table *table, const char *filename);
/* Takes `module` over and hands out the one it replaces, or NULL. -ENOSPC. */
int active_table_put(struct active_table *table, struct handler_module *module,
                     struct handler_module **ret_previous);
struct handler_module *active_table_take(struct active_table *table, const char *filename);
size_t active_table_in_place(const struct active_table *table);
/* Some version of some module with this suffix is this source. */
bool active_table_refers(const struct active_table *table, const char *sha256, const char *suffix);

/* The codec. -EMSGSIZE; -ENOMEM. -EBADMSG: damaged; -EPROTONOSUPPORT: whole, and of a
 * format that came after us. `table` is empty before, and after a failure. */
int active_table_encode(const struct active_table *table, struct buffer *out);
int active_table_decode(struct active_table *table, const char *bytes, size_t count);

/* What was read; the words are for the log. */
enum active_source { ACTIVE_FRESH, ACTIVE_READ, ACTIVE_READ_PREVIOUS, ACTIVE_LOST };
/* A value of the enum; -errno only when the reading, not the file, failed (-ENOMEM, -EMFILE, …). A
 * file of a later format is kept as active.json.unknown. */
int active_table_load(struct active_table *table, int directory_fd);
/* The next generation. -errno: the file on the disk is the one before.
 * ACTIVE_COMMITTED_UNSYNCED: it is the new one, and may not survive a power cut. */
int active_table_save(struct active_table *table, int directory_fd);
