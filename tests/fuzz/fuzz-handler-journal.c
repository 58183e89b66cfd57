/* Fuzzes the journal: what is taken is within its bounds, and what was read is what is read
 * again from those bytes alone. */
#include "agent/handler/backups.h"
#include "agent/handler/journal.h"
#include "base/crc32.h"
#include "fuzz/fuzz.h"

#include <string.h>

static void check_change(const struct handler_change *change)
{
        MUST(change->id > 0 && handler_name_is_valid(change->filename));
        MUST(change->before[0] == '\0' || handler_sha256_is_valid(change->before));
        MUST(change->after[0] == '\0' ? change->action == HANDLER_REMOVE
                                      : handler_sha256_is_valid(change->after));
        MUST(change->backup[0] == '\0' ||
             handler_backup_name_is_of(change->backup, change->filename));
}

static size_t drop(struct list *changes, struct buffer *text)
{
        size_t count = 0;

        while (!list_is_empty(changes)) {
                struct handler_change *change =
                        container_of(changes->next, struct handler_change, link);

                check_change(change);
                MUST(handler_journal_encode(change, text) == 0);
                handler_change_free(change);
                count++;
        }
        MUST(count <= HANDLER_STAGED_MAX);
        return count;
}

static void check(const char *bytes, size_t count)
{
        struct list changes;
        struct buffer text, again;
        int64_t whole;
        size_t n;

        list_init(&changes);
        buffer_init(&text, JOURNAL_BYTES_MAX);
        buffer_init(&again, JOURNAL_BYTES_MAX);
        whole = handler_journal_decode(bytes, count, &changes);
        MUST(whole >= 0 && (size_t)whole <= count);
        n = drop(&changes, &text);
        MUST(handler_journal_decode(buffer_data(&text), buffer_length(&text), &changes) ==
             (int64_t)buffer_length(&text));
        MUST(drop(&changes, &again) == n);
        MUST(buffer_length(&text) == buffer_length(&again));
        buffer_done(&text);
        buffer_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        struct buffer framed;
        uint32_t sum = crc32_of(bytes, count);

        check((const char *)bytes, count);
        /* The same as one payload whose header is right. */
        buffer_init(&framed, JOURNAL_BYTES_MAX);
        for (unsigned i = 0; i < 8; i++) {
                char byte = (char)((i < 4 ? (uint32_t)count : sum) >> 8 * (i % 4));

                MUST(buffer_append(&framed, &byte, 1) == 0);
        }
        if (buffer_append(&framed, bytes, count) == 0)
                check(buffer_data(&framed), buffer_length(&framed));
        buffer_done(&framed);
        return 0;
}
