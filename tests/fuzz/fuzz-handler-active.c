/* Fuzzes active.json: what is taken is within its bounds, and written and read again it is
 * the same. */
#include "agent/handler/active-table.h"
#include "base/crc32.h"
#include "fuzz/fuzz.h"

#include <inttypes.h>
#include <string.h>

static void check_module(const struct handler_module *module)
{
        MUST(handler_name_is_valid(module->filename));
        MUST(!handler_module_in_place(module) || handler_sha256_is_valid(module->current.sha256));
        MUST(module->earlier_count <= HANDLER_EARLIER_MAX);
        for (size_t i = 0; i < module->earlier_count; i++) {
                MUST(handler_sha256_is_valid(module->earlier[i].sha256));
                MUST(i == 0 || module->earlier[i - 1].seq >= module->earlier[i].seq);
        }
}

static void check(const char *bytes, size_t count)
{
        static struct active_table table, again;
        struct buffer first, second;

        if (active_table_decode(&table, bytes, count) < 0) {
                MUST(table.count == 0);
                return;
        }
        for (size_t i = 0; i < table.count; i++)
                check_module(table.modules[i]);
        buffer_init(&first, ACTIVE_BYTES_MAX);
        buffer_init(&second, ACTIVE_BYTES_MAX);
        MUST(active_table_encode(&table, &first) == 0);
        MUST(active_table_decode(&again, buffer_data(&first), buffer_length(&first)) == 0);
        MUST(active_table_encode(&again, &second) == 0);
        MUST(buffer_length(&first) == buffer_length(&second));
        MUST(memcmp(buffer_data(&first), buffer_data(&second), buffer_length(&first)) == 0);
        buffer_done(&first);
        buffer_done(&second);
        active_table_done(&table);
        active_table_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        struct buffer signed_text;

        check((const char *)bytes, count);
        /* The same as the body of a file whose sum is right: nothing else would come far. */
        buffer_init(&signed_text, ACTIVE_BYTES_MAX);
        if (buffer_append(&signed_text, bytes, count) == 0 &&
            buffer_printf(&signed_text, ",\"crc\":\"%08" PRIx32 "\"}\n", crc32_of(bytes, count)) ==
                    0)
                check(buffer_data(&signed_text), buffer_length(&signed_text));
        buffer_done(&signed_text);
        return 0;
}
