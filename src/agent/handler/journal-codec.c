/* The bytes of the journal. */
#include "agent/handler/backups.h"
#include "agent/handler/journal.h"
#include "base/crc32.h"
#include "data/json-writer.h"
#include "data/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HEADER = 8, PAYLOAD_MIN = 2, PAYLOAD_MAX = 4096, DEPTH = 8 };

static const char *const actions[] = {"update", "rollback", "remove"};

static void put_u32(char *to, uint32_t value)
{
        for (unsigned i = 0; i < 4; i++)
                to[i] = (char)(value >> 8 * i);
}

static uint32_t get_u32(const char *from)
{
        uint32_t value = 0;

        for (unsigned i = 0; i < 4; i++)
                value |= (uint32_t)(unsigned char)from[i] << 8 * i;
        return value;
}

/* Leaves room for the header, and opens the payload. */
static int record_open(struct json_writer *writer, struct buffer *out, const char *operation,
                       uint64_t id)
{
        const char header[HEADER] = {0};
        int r = buffer_append(out, header, HEADER);

        if (r < 0)
                return r;
        json_writer_init(writer, out);
        json_write_object(writer, NULL);
        json_write_string(writer, "op", operation);
        json_write_integer(writer, "id", (int64_t)id);
        return 0;
}

/* Closes the payload of the record that begins at `start`, and fills in its header. */
static int record_close(struct json_writer *writer, struct buffer *out, size_t start)
{
        char *record;
        size_t count;
        int r;

        json_write_end(writer);
        r = json_writer_error(writer);
        if (r < 0)
                return r;
        record = buffer_data(out) + start;
        count = buffer_length(out) - start - HEADER;
        if (count > PAYLOAD_MAX)
                return -EMSGSIZE;
        put_u32(record, (uint32_t)count);
        put_u32(record + 4, crc32_of(record + HEADER, count));
        return 0;
}

int handler_journal_encode(const struct handler_change *change, struct buffer *out)
{
        size_t start = buffer_length(out);
        struct json_writer writer;
        int r = record_open(&writer, out, "begin", change->id);

        if (r < 0)
                return r;
        json_write_string(&writer, "action", actions[change->action]);
        json_write_string(&writer, "filename", change->filename);
        json_write_string(&writer, "before", change->before);
        json_write_string(&writer, "after", change->after);
        json_write_string(&writer, "backup", change->backup);
        json_write_string(&writer, "who", change->who);
        json_write_string(&writer, "from", change->from);
        return record_close(&writer, out, start);
}

int handler_journal_encode_end(uint64_t id, struct buffer *out)
{
        size_t start = buffer_length(out);
        struct json_writer writer;
        int r = record_open(&writer, out, "end", id);

        return r < 0 ? r : record_close(&writer, out, start);
}

/* A member that must be there; false: it is not, or too long. */
static bool get_text(const cJSON *object, const char *name, char *ret, size_t size)
{
        const char *text = json_get_string(object, name);

        if (!text || strlen(text) >= size)
                return false;
        memcpy(ret, text, strlen(text) + 1);
        return true;
}

static bool sha256_or_nothing(const char *text)
{
        return text[0] == '\0' || handler_sha256_is_valid(text);
}

static bool read_begin(const cJSON *object, struct handler_change *change)
{
        const char *action = json_get_string(object, "action");

        if (!action || !get_text(object, "filename", change->filename, sizeof(change->filename)) ||
            !get_text(object, "before", change->before, sizeof(change->before)) ||
            !get_text(object, "after", change->after, sizeof(change->after)) ||
            !get_text(object, "backup", change->backup, sizeof(change->backup)) ||
            !get_text(object, "who", change->who, sizeof(change->who)) ||
            !get_text(object, "from", change->from, sizeof(change->from)))
                return false;
        for (change->action = HANDLER_UPDATE; change->action < HANDLER_REMOVE; change->action++)
                if (strcmp(actions[change->action], action) == 0)
                        break;
        return strcmp(actions[change->action], action) == 0 &&
               handler_name_is_valid(change->filename) && sha256_or_nothing(change->before) &&
               sha256_or_nothing(change->after) &&
               (change->action == HANDLER_REMOVE) == (change->after[0] == '\0') &&
               (change->backup[0] == '\0' ||
                handler_backup_name_is_of(change->backup, change->filename));
}

static int take_begin(const cJSON *object, uint64_t id, struct list *changes)
{
        AUTO(handler_change) struct handler_change *change = NULL;
        int r = handler_change_new(&change);
        size_t count = 0;

        if (r < 0)
                return r;
        change->id = id;
        if (!read_begin(object, change) || handler_change_find(changes, id))
                return -EBADMSG;
        list_for_each (changes, position)
                count++;
        if (count == HANDLER_STAGED_MAX)
                handler_change_free(container_of(changes->next, struct handler_change, link));
        list_append(changes, &change->link);
        (void)TAKE(change);
        return 0;
}

static int take_record(const char *payload, size_t count, struct list *changes)
{
        AUTO_JSON cJSON *object = NULL;
        const char *operation;
        int64_t id;
        int r = json_parse(payload, count, DEPTH, &object, NULL);

        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        operation = json_get_string(object, "op");
        if (!operation || !json_get_integer(object, "id", &id) || id < 1)
                return -EBADMSG;
        if (strcmp(operation, "begin") == 0)
                return take_begin(object, (uint64_t)id, changes);
        if (strcmp(operation, "end") != 0)
                return -EBADMSG;
        handler_change_free(handler_change_find(changes, (uint64_t)id));
        return 0;
}

int64_t handler_journal_decode(const char *bytes, size_t count, struct list *changes)
{
        size_t at = 0;

        while (count - at >= HEADER) {
                uint32_t length = get_u32(bytes + at);
                const char *payload = bytes + at + HEADER;
                int r;

                if (length < PAYLOAD_MIN || length > PAYLOAD_MAX || length > count - at - HEADER ||
                    crc32_of(payload, length) != get_u32(bytes + at + 4))
                        break;
                r = take_record(payload, length, changes);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        break;
                at += HEADER + length;
        }
        return (int64_t)at;
}
