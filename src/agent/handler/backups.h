/* agent/handler/backups.h - .backups/handlers_NAME_YYYYMMDD_HHMMSS[_N].backup, in UTC.
 *
 * Blocking; one thread. */
#pragma once

#include "agent/handler/version.h"

#include <time.h>

/* Of any module: writes its file name; false: not a backup's name. `ret` has room for
 * HANDLER_NAME_MAX + 1, may be NULL; so may `ret_time` (seconds since 1970, UTC). */
bool handler_backup_name_parse(const char *backup, char *ret_filename, int64_t *ret_time);
bool handler_backup_name_is_of(const char *backup, const char *filename);

/* A name that nobody has yet: two of one second, or of a clock that stands at 1970 at
 * each start, get _2, _3, … -EEXIST after 9999; -errno. `ret` has room for
 * HANDLER_BACKUP_MAX + 1. */
int handler_backup_name_choose(int backups_fd, const char *filename, int64_t time_s, char *ret);
