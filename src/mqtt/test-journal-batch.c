/* What of a batch becomes a record, and what is left out. */
#include "base/attributes.h"
#include "mqtt/journal-batch.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>

enum { MESSAGES = 4, BYTES_MAX = 1 << 20, LARGE = 200 << 10 };

struct fixture {
        struct loop *loop;
        struct mqtt_journal_clock clock;
        struct mqtt_journal_batch batch;
        struct mqtt_message *messages[MESSAGES];
};

static void setup(struct fixture *f)
{
        static const struct mqtt_source source = {.version = MQTT_VERSION_5};
        const struct mqtt_publish publish = {
                .topic = {"a/b", 3}, .payload = {(const uint8_t *)"12345", 5}, .qos = 1};

        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        mqtt_journal_clock_init(&f->clock, f->loop);
        mqtt_journal_batch_init(&f->batch, BYTES_MAX);
        for (unsigned i = 0; i < MESSAGES; i++) {
                CHECK_EQ(mqtt_message_new(&publish, &source, &f->messages[i]), 0);
                f->messages[i]->kept = 11 + i;
        }
}

static void teardown(struct fixture *f)
{
        for (unsigned i = 0; i < MESSAGES; i++)
                mqtt_message_unref(f->messages[i]);
        mqtt_journal_batch_done(&f->batch);
        loop_free(f->loop);
}

/* With a change that refers to it. */
static void add(struct fixture *f, unsigned i)
{
        const struct mqtt_record record = {.change = MQTT_CHANGE_SENT,
                                           .session = 1,
                                           .message = f->messages[i]->kept,
                                           .qos = 1,
                                           .packet_id = (uint16_t)(i + 1)};

        mqtt_journal_batch_add_message(&f->batch, f->messages[i]);
        mqtt_journal_batch_add(&f->batch, &record);
}

/* Numbers of messages that are written, and of changes that refer to any, as text. */
static void check_record(struct fixture *f, const char *messages, const char *sent)
{
        struct store_part parts[MQTT_JOURNAL_PARTS];
        char found[2][64] = {"", ""};

        CHECK_EQ(mqtt_journal_batch_close(&f->batch, &f->clock, parts), 0);
        for (unsigned i = 0; i < MQTT_JOURNAL_PARTS; i++) {
                struct mqtt_record record;
                size_t at = 0;

                while (mqtt_record_decode(parts[i].bytes, parts[i].count, &at, &record) ==
                       MQTT_RECORD_FOUND) {
                        size_t length = strlen(found[i]);

                        CHECK_EQ(record.change, i == 0 ? MQTT_CHANGE_MESSAGE : MQTT_CHANGE_SENT);
                        snprintf(found[i] + length, sizeof(found[i]) - length, " %u",
                                 (unsigned)record.message);
                }
                CHECK_EQ(at, parts[i].count);
        }
        CHECK_TEXT(found[0], messages);
        CHECK_TEXT(found[1], sent);
}

TEST(messages_come_before_what_refers_to_them)
{
        struct fixture f;

        setup(&f);
        CHECK(mqtt_journal_batch_is_empty(&f.batch));
        for (unsigned i = 0; i < MESSAGES; i++)
                add(&f, i);
        CHECK(!mqtt_journal_batch_is_empty(&f.batch));
        check_record(&f, " 11 12 13 14", " 11 12 13 14");
        mqtt_journal_batch_clear(&f.batch);
        CHECK(mqtt_journal_batch_is_empty(&f.batch));
        CHECK_EQ(mqtt_journal_batch_bytes(&f.batch), 0);
        teardown(&f);
}

TEST(a_message_that_went_before_it_was_written_is_left_out)
{
        struct fixture f;
        size_t one;

        setup(&f);
        add(&f, 0);
        one = mqtt_journal_batch_bytes(&f.batch);
        for (unsigned i = 1; i < MESSAGES; i++)
                add(&f, i);
        mqtt_journal_batch_remove_message(&f.batch, f.messages[0]);
        mqtt_journal_batch_remove_message(&f.batch, f.messages[2]);
        CHECK(mqtt_journal_batch_bytes(&f.batch) < 3 * one);
        check_record(&f, " 12 14", " 11 12 13 14");
        teardown(&f);
}

TEST(what_is_in_the_log_already_is_not_the_next_batch_s_to_remove)
{
        struct fixture f;

        setup(&f);
        add(&f, 0);
        add(&f, 1);
        mqtt_journal_batch_clear(&f.batch);
        mqtt_journal_batch_remove_message(&f.batch, f.messages[0]);
        add(&f, 2);
        add(&f, 3);
        mqtt_journal_batch_remove_message(&f.batch, f.messages[1]);
        check_record(&f, " 13 14", " 13 14");
        /* One of later, too. */
        f.messages[0]->kept = 15;
        mqtt_journal_batch_remove_message(&f.batch, f.messages[0]);
        check_record(&f, " 13 14", " 13 14");
        teardown(&f);
}

TEST(without_memory_it_is_incomplete_until_it_is_cleared)
{
        struct fixture f;
        size_t n = 0;
        bool failed;

        setup(&f);
        do {
                struct store_part parts[MQTT_JOURNAL_PARTS];
                int r;

                mqtt_journal_batch_done(&f.batch);
                mqtt_journal_batch_init(&f.batch, BYTES_MAX);
                allocation_fail_at(++n);
                for (unsigned i = 0; i < MESSAGES; i++)
                        add(&f, i);
                mqtt_journal_batch_remove_message(&f.batch, f.messages[1]);
                r = mqtt_journal_batch_close(&f.batch, &f.clock, parts);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK(!mqtt_journal_batch_is_empty(&f.batch));
                mqtt_journal_batch_clear(&f.batch);
                CHECK(mqtt_journal_batch_is_empty(&f.batch));
                add(&f, 0);
                check_record(&f, " 11", " 11");
        } while (failed);
        CHECK(n > 3);
        teardown(&f);
}

TEST(more_than_fits_is_incomplete)
{
        static uint8_t bytes[LARGE];
        static const struct mqtt_source source = {.version = MQTT_VERSION_5};
        const struct mqtt_publish publish = {
                .topic = {"a", 1}, .payload = {bytes, sizeof(bytes)}, .qos = 1};
        struct store_part parts[MQTT_JOURNAL_PARTS];
        struct mqtt_message *large[8];
        struct fixture f;

        setup(&f);
        for (unsigned i = 0; i < ARRAY_SIZE(large); i++) {
                CHECK_EQ(mqtt_message_new(&publish, &source, &large[i]), 0);
                large[i]->kept = 20 + i;
                mqtt_journal_batch_add_message(&f.batch, large[i]);
        }
        CHECK(mqtt_journal_batch_bytes(&f.batch) > BYTES_MAX);
        CHECK_EQ(mqtt_journal_batch_close(&f.batch, &f.clock, parts), -EMSGSIZE);
        for (unsigned i = 0; i < ARRAY_SIZE(large); i++)
                mqtt_message_unref(large[i]);
        teardown(&f);
}
