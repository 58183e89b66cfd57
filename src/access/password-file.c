#include "access/password-file.h"

#include "access/text-lines.h"

#include <errno.h>
#include <stdbool.h>
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

int password_file_check_name(const char *name, struct error *error)
{
        int r = user_name_check(name, error);

        if (r < 0)
                return r;
        if (name[0] == '#' || name[0] == ' ' || strchr(name, ':'))
                return error_set(error, -EINVAL,
                                 "a user's name in a password file has no ':' in it, and begins "
                                 "with neither a blank nor '#'");
        return 0;
}

/* Without the blanks before it, which the name is not part of. */
static bool is_of(const char *line, size_t length, const char *name)
{
        size_t blanks = 0, name_length = strlen(name);

        while (blanks < length && (line[blanks] == ' ' || line[blanks] == '\t'))
                blanks++;
        return length - blanks > name_length && memcmp(line + blanks, name, name_length) == 0 &&
               line[blanks + name_length] == ':';
}

int password_file_edit(const char *text, size_t length, const char *name, const char *hash,
                       struct buffer *out)
{
        bool found = false;
        int r = 0;

        for (size_t at = 0, next; at < length && r == 0; at = next) {
                const char *end = memchr(text + at, '\n', length - at);

                next = end ? (size_t)(end - text) + 1 : length;
                if (!is_of(text + at, next - at, name)) {
                        r = buffer_append(out, text + at, next - at);
                        if (r == 0 && !end)
                                r = buffer_append_text(out, "\n");
                } else if (!found) {
                        found = true;
                        r = hash ? buffer_printf(out, "%s:%s\n", name, hash) : 0;
                }
        }
        if (r == 0 && !found && hash)
                r = buffer_printf(out, "%s:%s\n", name, hash);
        return r < 0 ? r : found;
}
