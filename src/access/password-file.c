#include "access/password-file.h"

#include "access/text-lines.h"

#include <errno.h>
#include <string.h>

static int read_line(char *line, struct user_table *table, struct error *error)
{
        char *colon;

        if (line[0] == '\0' || line[0] == '#')
                return 0;
        colon = strchr(line, ':');
        if (!colon)
                return error_set(error, -EINVAL, "expected NAME:HASH; `pifleet passwd` makes one");
        *colon = '\0';
        return user_table_add(table, line, "", colon + 1, error);
}

int password_file_read(const char *name, const char *text, size_t length, struct user_table *table,
                       struct error *error)
{
        struct text_lines lines = {.text = text, .length = length};
        char line[USER_NAME_MAX + 1 + PASSWORD_HASH_SIZE];
        int r;

        while ((r = text_lines_next(&lines, line, sizeof(line), error)) > 0) {
                r = read_line(line, table, error);
                if (r < 0)
                        break;
        }
        explicit_bzero(line, sizeof(line));
        if (r < 0)
                error_prefix(error, "%s:%zu: ", name, lines.number);
        return r;
}
