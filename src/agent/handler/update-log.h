/* agent/handler/update-log.h - who did what to which module: JSON lines in update.log,
 * and in update.log.1 what was there before.
 *
 * A line that was torn by a power cut is passed over by all readers.
 * Blocking; one thread. */
#pragma once

#include "agent/handler/repository.h"

enum { UPDATE_LOG_LINE_MAX = 16384 };

/* `seq` 0: of no change. On the disk when it returns 0; else the line may or may not be there. */
int update_log_append(int directory_fd, const struct handler_log_entry *entry, uint64_t seq,
                      int64_t time_s);
/* As handler_repository_log_query(). */
int update_log_query(int directory_fd, const char *filename, size_t limit, struct buffer *out);

/* Which changes it tells of: each `seq` once, oldest first. */
typedef void update_log_seq_fn(void *owner, uint64_t seq);
int update_log_each_seq(int directory_fd, update_log_seq_fn *each, void *owner);
