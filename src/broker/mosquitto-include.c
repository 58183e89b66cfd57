/* include_dir: the files of a folder whose names end in ".conf", in mosquitto's order, each
 * with listeners of its own. */
#include "base/cleanup.h"
#include "broker/mosquitto-internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int is_included(const struct dirent *entry)
{
        size_t length = strlen(entry->d_name);

        return length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0;
}

/* Letter by letter: without case first, and among equals with it. */
static int compare(const struct dirent **a, const struct dirent **b)
{
        const unsigned char *x = (const unsigned char *)(*a)->d_name;
        const unsigned char *y = (const unsigned char *)(*b)->d_name;

        for (; *x != '\0' && *y != '\0'; x++, y++) {
                if (toupper(*x) != toupper(*y))
                        return toupper(*x) - toupper(*y);
                if (*x != *y)
                        return *x - *y;
        }
        return *x - *y;
}

static int read_included(struct mosquitto_reader *reader, const char *path)
{
        AUTO_FREE char *text = NULL, *copy = NULL;
        size_t length;
        int r = config_read_file(path, BROKER_CONFIG_LENGTH_MAX, &text, &length, reader->error);

        if (r < 0)
                return r;
        if (length > BROKER_CONFIG_LENGTH_MAX)
                return error_set(reader->error, -EFBIG, "%s: is longer than %d bytes", path,
                                 BROKER_CONFIG_LENGTH_MAX);
        copy = realloc(text, length + 1);
        if (!copy)
                return mosquitto_refuse_memory(reader);
        text = NULL;
        reader->file = path;
        reader->listener = 0;
        reader->included = true;
        return mosquitto_read_lines(reader, copy, length);
}

static int read_all(struct mosquitto_reader *reader, const char *folder, struct dirent **names,
                    size_t count)
{
        const struct mosquitto_reader before = *reader;
        int r = 0;

        for (size_t i = 0; i < count && r == 0; i++) {
                AUTO_FREE char *path = NULL;

                if (reader->includes++ == MOSQUITTO_INCLUDES_MAX)
                        return mosquitto_refuse(reader,
                                                "more than %d files in folders of "
                                                "`include_dir`",
                                                MOSQUITTO_INCLUDES_MAX);
                if (asprintf(&path, "%s/%s", folder, names[i]->d_name) < 0) {
                        path = NULL;
                        return mosquitto_refuse_memory(reader);
                }
                r = read_included(reader, path);
                reader->file = before.file;
                reader->line = before.line;
                reader->listener = before.listener;
                reader->included = false;
        }
        return r;
}

int mosquitto_read_include_dir(struct mosquitto_reader *reader, const struct mosquitto_key *key,
                               char *value)
{
        struct dirent **names;
        int count, r;

        if (reader->included)
                return mosquitto_refuse(reader, "`%s` is for the main file only", key->name);
        if (value[0] == '\0')
                return mosquitto_refuse(reader, "`%s` has no value: expected a folder", key->name);
        count = scandir(value, &names, is_included, compare);
        if (count < 0)
                return mosquitto_refuse(reader, "cannot read the folder '%.200s': %s", value,
                                        strerror(errno));
        r = read_all(reader, value, names, (size_t)count);
        for (int i = 0; i < count; i++)
                free(names[i]);
        free(names);
        return r;
}
