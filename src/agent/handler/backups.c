#include "agent/handler/backups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PREFIX "handlers_"
#define SUFFIX ".backup"
enum { NUMBER_MAX = 9999, STAMP_LENGTH = 16 }; /* _YYYYMMDD_HHMMSS */

/* Reads exactly `count` digits. */
static bool digits(const char **text, unsigned count, int *ret)
{
        int value = 0;

        for (; count > 0; count--, (*text)++) {
                if (**text < '0' || **text > '9')
                        return false;
                value = value * 10 + (**text - '0');
        }
        *ret = value;
        return true;
}

/* What stands behind the file name: the stamp, perhaps a number, the suffix. */
static bool parse_stamp(const char *text, int64_t *ret_time)
{
        struct tm tm = {0};
        int n;

        if (*text++ != '_' || !digits(&text, 4, &tm.tm_year) || !digits(&text, 2, &tm.tm_mon) ||
            !digits(&text, 2, &tm.tm_mday) || *text++ != '_' || !digits(&text, 2, &tm.tm_hour) ||
            !digits(&text, 2, &tm.tm_min) || !digits(&text, 2, &tm.tm_sec))
                return false;
        if (*text == '_') {
                size_t length = strspn(text + 1, "0123456789");

                if (length < 1 || length > 4)
                        return false;
                text++;
                (void)digits(&text, (unsigned)length, &n);
        }
        if (strcmp(text, SUFFIX) != 0)
                return false;
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        if (ret_time)
                *ret_time = timegm(&tm);
        return true;
}

bool handler_backup_name_parse(const char *backup, char *ret_filename, int64_t *ret_time)
{
        char filename[HANDLER_NAME_MAX + 1];
        const char *start, *end;

        if (strncmp(backup, PREFIX, strlen(PREFIX)) != 0 || strlen(backup) > HANDLER_BACKUP_MAX)
                return false;
        start = backup + strlen(PREFIX);
        /* A module's name has one dot, in ".py_" or ".c_". */
        end = strchr(start, '.');
        end = end ? strchr(end, '_') : NULL;
        if (!end || end - start > HANDLER_NAME_MAX)
                return false;
        memcpy(filename, start, (size_t)(end - start));
        filename[end - start] = '\0';
        if (!handler_name_is_valid(filename) || !parse_stamp(end, ret_time))
                return false;
        if (ret_filename)
                memcpy(ret_filename, filename, sizeof(filename));
        return true;
}

bool handler_backup_name_is_of(const char *backup, const char *filename)
{
        char of[HANDLER_NAME_MAX + 1];

        return handler_backup_name_parse(backup, of, NULL) && strcmp(of, filename) == 0;
}

int handler_backup_name_choose(int backups_fd, const char *filename, int64_t time_s, char *ret)
{
        const time_t time = (time_t)time_s;
        char stamp[STAMP_LENGTH + 1], name[HANDLER_BACKUP_MAX + 1];
        struct stat status;
        struct tm tm;

        /* A clock before 1970 or beyond the year 9999 has no stamp: the epoch's. */
        if (!gmtime_r(&time, &tm) || tm.tm_year < 70 || tm.tm_year > 8099)
                (void)gmtime_r(&(time_t){0}, &tm);
        (void)strftime(stamp, sizeof(stamp), "_%Y%m%d_%H%M%S", &tm);
        for (unsigned n = 1; n <= NUMBER_MAX; n++) {
                char number[8] = "";

                if (n > 1)
                        snprintf(number, sizeof(number), "_%u", n);
                snprintf(name, sizeof(name), PREFIX "%s%s%s" SUFFIX, filename, stamp, number);
                if (fstatat(backups_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
                        continue;
                if (errno != ENOENT)
                        return -errno;
                memcpy(ret, name, sizeof(name));
                return 0;
        }
        return -EEXIST;
}
