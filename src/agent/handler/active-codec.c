/* The bytes of active.json. */
#include "agent/handler/active-table.h"
#include "agent/handler/backups.h"
#include "base/crc32.h"
#include "data/json-writer.h"
#include "data/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* `,"crc":"89abcdef"}` and a newline. */
#define TAIL_FORMAT ",\"crc\":\"%08" PRIx32 "\"}\n"
enum { TAIL_LENGTH = 19, DEPTH = 8 };

static void encode_version(struct json_writer *writer, const struct handler_version *version)
{
        if (version->sha256[0] != '\0') {
                json_write_string(writer, "sha256", version->sha256);
                json_write_integer(writer, "size", version->size);
                json_write_string(writer, "state", handler_state_name(version->state));
        }
        json_write_integer(writer, "seq", (int64_t)version->seq);
        json_write_integer(writer, "time", version->time);
        if (version->backup[0] != '\0')
                json_write_string(writer, "backup", version->backup);
}

static void encode_module(struct json_writer *writer, const struct handler_module *module)
{
        json_write_object(writer, module->filename);
        encode_version(writer, &module->current);
        if (module->disabled[0] != '\0')
                json_write_string(writer, "disabled", module->disabled);
        json_write_array(writer, "earlier");
        for (size_t i = 0; i < module->earlier_count; i++) {
                json_write_object(writer, NULL);
                encode_version(writer, &module->earlier[i]);
                json_write_end(writer);
        }
        json_write_end(writer);
        json_write_end(writer);
}

int active_table_encode(const struct active_table *table, struct buffer *out)
{
        struct json_writer writer;
        int r;

        json_writer_init(&writer, out);
        json_write_object(&writer, NULL);
        json_write_integer(&writer, "format", ACTIVE_FORMAT);
        json_write_integer(&writer, "gen", (int64_t)table->generation);
        json_write_integer(&writer, "seq", (int64_t)table->seq);
        json_write_object(&writer, "modules");
        for (size_t i = 0; i < table->count; i++)
                encode_module(&writer, table->modules[i]);
        json_write_end(&writer);
        r = json_writer_error(&writer);
        if (r < 0)
                return r;
        return buffer_printf(out, TAIL_FORMAT, crc32_of(buffer_data(out), buffer_length(out)));
}

static bool get_counter(const cJSON *object, const char *name, uint64_t *ret)
{
        int64_t value;

        if (!json_get_integer(object, name, &value) || value < 0)
                return false;
        *ret = (uint64_t)value;
        return true;
}

/* A text member into an array of `size`; absent is "". False: no text, or too long. */
static bool get_text(const cJSON *object, const char *name, char *ret, size_t size)
{
        const cJSON *member = json_get(object, name);
        const char *text = json_get_string(object, name);

        ret[0] = '\0';
        if (!member)
                return true;
        if (!text || strlen(text) >= size)
                return false;
        memcpy(ret, text, strlen(text) + 1);
        return true;
}

static bool decode_version(const cJSON *object, struct handler_version *version)
{
        uint64_t size;

        if (!get_counter(object, "seq", &version->seq) ||
            !json_get_integer(object, "time", &version->time) ||
            !get_text(object, "sha256", version->sha256, sizeof(version->sha256)) ||
            !get_text(object, "backup", version->backup, sizeof(version->backup)))
                return false;
        if (version->sha256[0] == '\0')
                return true;
        if (!handler_sha256_is_valid(version->sha256) || !get_counter(object, "size", &size) ||
            size > UINT32_MAX || !json_get_string(object, "state"))
                return false;
        version->size = (uint32_t)size;
        return handler_state_from_name(json_get_string(object, "state"), &version->state);
}

static bool decode_earlier(const cJSON *array, struct handler_module *module)
{
        const cJSON *item;

        cJSON_ArrayForEach(item, array)
        {
                struct handler_version version = {0};

                if (module->earlier_count == HANDLER_EARLIER_MAX ||
                    !decode_version(item, &version) || version.sha256[0] == '\0' ||
                    !handler_backup_name_is_of(version.backup, module->filename))
                        return false;
                handler_module_add_earlier(module, &version);
        }
        return true;
}

static int decode_module(struct active_table *table, const cJSON *object)
{
        AUTO(handler_module) struct handler_module *module = NULL;
        struct handler_module *previous;
        int r;

        if (!cJSON_IsObject(object) || !handler_name_is_valid(object->string) ||
            active_table_find(table, object->string))
                return -EBADMSG;
        r = handler_module_new(object->string, &module);
        if (r < 0)
                return r;
        if (!decode_version(object, &module->current) || module->current.backup[0] != '\0' ||
            !get_text(object, "disabled", module->disabled, sizeof(module->disabled)) ||
            !cJSON_IsArray(json_get(object, "earlier")) ||
            !decode_earlier(json_get(object, "earlier"), module))
                return -EBADMSG;
        r = active_table_put(table, module, &previous);
        if (r < 0)
                return -EBADMSG;
        (void)TAKE(module);
        return 0;
}

static int decode_tree(struct active_table *table, const cJSON *tree)
{
        const cJSON *modules = json_get(tree, "modules");
        const cJSON *item;
        int64_t format;

        if (!json_get_integer(tree, "format", &format))
                return -EBADMSG;
        if (format > ACTIVE_FORMAT)
                return -EPROTONOSUPPORT;
        if (format < 1 || !get_counter(tree, "gen", &table->generation) ||
            !get_counter(tree, "seq", &table->seq) || !cJSON_IsObject(modules))
                return -EBADMSG;
        cJSON_ArrayForEach(item, modules)
        {
                int r = decode_module(table, item);

                if (r < 0)
                        return r;
        }
        return 0;
}

int active_table_decode(struct active_table *table, const char *bytes, size_t count)
{
        AUTO_JSON cJSON *tree = NULL;
        char tail[TAIL_LENGTH + 1];
        int r;

        if (count < TAIL_LENGTH || count > ACTIVE_BYTES_MAX)
                return -EBADMSG;
        snprintf(tail, sizeof(tail), TAIL_FORMAT, crc32_of(bytes, count - TAIL_LENGTH));
        if (memcmp(bytes + count - TAIL_LENGTH, tail, TAIL_LENGTH) != 0)
                return -EBADMSG;
        r = json_parse(bytes, count, DEPTH, &tree, NULL);
        if (r < 0)
                return r == -ENOMEM ? r : -EBADMSG;
        r = decode_tree(table, tree);
        if (r < 0)
                active_table_done(table);
        return r;
}
