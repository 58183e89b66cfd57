/* supervisor/hold-table.h - all holds of the agent, with our duplicates of their
 * descriptors, and their record in the run directory.
 *
 * Changed by the main thread only; made safe by any: a lock keeps a change and a
 * making safe apart, for as long as either copies or drives and never during a
 * write of the record. */
#pragma once

#include "base/cleanup.h"
#include "supervisor/hold.h"

#include <stddef.h>

struct hold_table;

/* `directory_fd` is borrowed; -1: no record is kept. -ENOMEM. */
int hold_table_new(const struct line_driver *driver, int directory_fd, struct hold_table **ret);
/* Closes the descriptors; the record stays. */
struct hold_table *hold_table_free(struct hold_table *table);
DEFINE_CLEANUP(hold_table)

size_t hold_table_count(const struct hold_table *table);
const struct guard_hold *hold_table_at(const struct hold_table *table, size_t i, int *ret_fd);

/* Verifies, records, then holds; takes the place of a hold with the same id.
 * Takes `fd` over on success only. -ENOSPC; those of hold_verify(); -errno of the
 * record: nothing has changed then. */
int hold_table_put(struct hold_table *table, const struct guard_hold *hold, int fd);
/* -ENOENT; -errno of the record: still held. */
int hold_table_remove(struct hold_table *table, uint64_t id);

/* Drives all into their safe state. Any thread. */
void hold_table_make_safe(struct hold_table *table, struct hold_result *ret);
