/* A journal that an earlier version has written is read as it was meant.
 *
 * tests/fixtures/journal-N is what the script below left with schema N. When the schema changes,
 * the folder of the one before stays, and the new one is made by
 *
 *     PIFLEET_RECORD_JOURNAL=tests/fixtures/journal-N build-test/tests/test-mqtt-journal-schema */
#include "base/attributes.h"
#include "mqtt/journal-fixture.h"
#include "mqtt/will.h"
#include "store/log-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { OWNER = 77, DESCRIPTION_MAX = 64 << 10 };

static void on_connect(void *owner, const struct mqtt_who *who, const struct mqtt_connect *connect,
                       struct mqtt_admission *answer)
{
        answer->owner = OWNER;
}

static bool on_retain(void *owner, const struct mqtt_who *who, struct mqtt_author *ret)
{
        *ret = (struct mqtt_author){{"garden", 6}, {"rose", 4}, who->client_id};
        return true;
}

/* What each schema can say; the third names publishers by their client ids. */
static const struct mqtt_hooks hooks[MQTT_JOURNAL_SCHEMA] = {
        {.on_connect = on_connect},
        {.on_connect = on_connect, .on_retain = on_retain},
        {.on_connect = on_connect, .on_retain = on_retain},
};

#define STAY(id) "10{[MQTT] 05 00 0000 (11 FFFFFFFF) [" id "]}\n"

/* All kinds of changes; what the image has first. */
static const char *const in_the_image =
        "s> " STAY("s") "s< " CONNACK_5 "s> 82{0001 (0B 05) [t/+] 2E}\n"
                        "s< 90{0001 () 02}\n"
                        "s> 82{0002 () [$share/g/x] 01}\n"
                        "s< 90{0002 () 01}\n"
                        "p> " STAY("p") "p< " CONNACK_5
                                        "p> 33{[t/1]0001(02 FFFFFFF0 26[k][v])'1'}\n"
                                        "p~\ns~\n"
                                        "s> 40{0001}\n"
                                        "p> 34{[t/2]0002()'2'} 34{[t/3]0003()'3'}\n"
                                        "p~\ns~\n"
                                        "s> 50{0002}\n"
                                        "s~\n"
                                        "s.\n"
                                        "p> 32{[t/4]0004()'4'} 62{0002}\n"
                                        "p~\n"
                                        "w> 10{[MQTT] 05 36 0000 (11 FFFFFFFF) [w] (18 FFFFFF00 "
                                        "03[text]) [gone] [payload]}\n"
                                        "w~\n"
                                        "w.\n";
static const char *const behind_it =
        "p> 32{[t/5]0005()'5'} 31{[r]()'x'} 31{[y]()'y'} 31{[y]()} 34{[none]0006()'6'}\n"
        "p~\n"
        "s> " STAY("s") "s~\n"
                        "s> 40{0004} A2{0003 () [$share/g/x]}\n"
                        "s~\n"
                        "g> " STAY("g") "g~\n"
                                        "g> E0{00 (11 00000000)}\n"
                                        "g|\n";

static void describe_deliveries(const struct mqtt_session *session, struct buffer *out)
{
        const struct mqtt_delivery *delivery;
        uint32_t at = 0;
        uint16_t id;

        while ((delivery = mqtt_inflight_next(&session->inflight, &at, &id)) != NULL)
                CHECK_EQ(buffer_printf(out, "  %u qos %u state %u id %u retain %d %.*s\n", id,
                                       delivery->qos, delivery->state, delivery->subscription_id,
                                       delivery->retain, delivery->message ? 3 : 0,
                                       delivery->message
                                               ? mqtt_message_topic(delivery->message).bytes
                                               : ""),
                         0);
        for (at = 0; at < session->queue.count; at++) {
                delivery = mqtt_queue_at(&session->queue, at);
                CHECK_EQ(buffer_printf(out, "  waits qos %u id %u %.3s\n", delivery->qos,
                                       delivery->subscription_id,
                                       mqtt_message_topic(delivery->message).bytes),
                         0);
        }
}

static void describe_session(const struct mqtt_session *session, struct buffer *out)
{
        struct mqtt_subscription_options options;
        struct mqtt_will_view will;
        static char filter[UINT16_MAX];
        uint32_t at = 0;
        uint16_t length, id;

        CHECK_EQ(buffer_printf(out, "%s owner %u expiry %u next %u\n", session->id,
                               (unsigned)session->owner, (unsigned)session->expiry_s,
                               session->inflight.next_id),
                 0);
        while ((length = mqtt_topic_tree_next(session->broker->tree, &session->subscriber, &at,
                                              filter, &options)) > 0)
                CHECK_EQ(buffer_printf(out, "  %.*s id %u qos %u local %d as published %d %u\n",
                                       length, filter, (unsigned)options.id, options.qos,
                                       options.no_local, options.retain_as_published,
                                       options.retain_handling),
                         0);
        for (at = 0; (id = mqtt_id_set_next(&session->received, &at)) > 0;)
                CHECK_EQ(buffer_printf(out, "  received %u\n", id), 0);
        describe_deliveries(session, out);
        if (!session->will)
                return;
        mqtt_last_will_view(session->will, &will);
        CHECK_EQ(buffer_printf(out, "  will %.*s qos %u retain %d delay %u payload %.*s text %d\n",
                               will.publish.topic.length, will.publish.topic.bytes,
                               will.publish.qos, will.publish.retain, (unsigned)will.delay_s,
                               (int)will.publish.payload.length,
                               (const char *)will.publish.payload.bytes,
                               will.publish.properties.content_type.length),
                 0);
}

static void describe_author(const struct mqtt_message *message, struct buffer *out)
{
        struct mqtt_author author;

        if (!message->has_author)
                return;
        mqtt_message_author(message, &author);
        CHECK_EQ(buffer_printf(out, "  of %.*s at %.*s as %.*s\n", author.user.length,
                               author.user.bytes, author.place.length, author.place.bytes,
                               author.client_id.length, author.client_id.bytes),
                 0);
}

/* Freed by the caller. */
static char *describe(const struct mqtt_broker *broker)
{
        struct mqtt_message *message;
        struct buffer out;
        uint32_t at = 0;
        char *text;

        buffer_init(&out, DESCRIPTION_MAX);
        list_for_each ((struct list *)&broker->all_sessions, position)
                describe_session(container_of(position, struct mqtt_session, link), &out);
        while ((message = mqtt_retained_next(broker->retained, &at)) != NULL) {
                CHECK_EQ(buffer_printf(&out, "retained %.*s bytes %u expires %d\n",
                                       message->topic_length, mqtt_message_topic(message).bytes,
                                       (unsigned)mqtt_message_size(message),
                                       message->expires_ms != MQTT_NEVER_EXPIRES),
                         0);
                describe_author(message, &out);
        }
        text = strndup(buffer_data(&out), buffer_length(&out));
        CHECK(text != NULL);
        buffer_done(&out);
        return text;
}

static void begin(struct journal_fixture *f, unsigned schema)
{
        journal_init(f, MQTT_DURABILITY_FSYNC, MQTT_DURABILITY_FSYNC);
        f->hooks = &hooks[schema - 1];
}

/* What the script leaves with what a schema can say, read back. */
static char *live(unsigned schema)
{
        const char *record = getenv("PIFLEET_RECORD_JOURNAL");
        struct journal_fixture f;
        char *text;

        begin(&f, schema);
        CHECK_EQ(journal_start(&f), 0);
        journal_run(&f, in_the_image);
        store_log_renew(f.talk.broker->journal->log);
        conversation_settle(&f.talk);
        journal_run(&f, behind_it);
        journal_stop(&f);
        if (record && schema == MQTT_JOURNAL_SCHEMA)
                journal_copy_folder(f.path, record);
        CHECK_EQ(journal_start(&f), 0);
        text = describe(f.talk.broker);
        CHECK_EQ(f.reports, 0);
        journal_done(&f);
        return text;
}

static void read_fixture(unsigned schema)
{
        struct journal_fixture f;
        char *expected = live(schema), *found;
        char folder[sizeof(FIXTURES) + 16];

        begin(&f, schema);
        snprintf(folder, sizeof(folder), FIXTURES "/journal-%u", schema);
        journal_copy_folder(folder, f.path);
        CHECK_EQ(journal_start(&f), 0);
        found = describe(f.talk.broker);
        CHECK_TEXT(found, expected);
        CHECK(strstr(found, "s owner 77 expiry 4294967295 next 6\n") != NULL);
        CHECK(strstr(found, "  t/+ id 5 qos 2 local 1 as published 1 2\n") != NULL);
        CHECK(strstr(found, "  will gone qos 2 retain 1") != NULL);
        CHECK_EQ(strstr(found, "  of rose at garden as p\n") != NULL, schema >= 2);
        CHECK_EQ(f.reports, 0);
        journal_done(&f);
        free(expected);
        free(found);
}

TEST(a_journal_of_each_schema_is_read_as_it_was_meant)
{
        for (unsigned schema = 1; schema <= MQTT_JOURNAL_SCHEMA; schema++)
                read_fixture(schema);
}

static void ignore_durable(void *owner, uint64_t sequence)
{
}

static void ignore_trouble(void *owner, int error)
{
}

/* It is left alone for that later one. */
TEST(a_journal_of_a_later_schema_is_refused)
{
        struct journal_fixture f;
        struct store_thread *thread;
        struct store_log *log;
        struct loop *loop;
        struct store_log_options options = {.schema = MQTT_JOURNAL_SCHEMA + 1,
                                            .interval_ms = 1,
                                            .buffer_bytes = 1 << 20,
                                            .image_bytes_min = 1 << 20};
        const struct store_part part = {"x", 1};
        const struct store_log_owner calls = {.on_durable = ignore_durable,
                                              .on_trouble = ignore_trouble};

        begin(&f, MQTT_JOURNAL_SCHEMA);
        options.directory_fd = f.folder_fd;
        CHECK_EQ(loop_new_virtual(1000, &loop), 0);
        CHECK_EQ(store_thread_new(loop, 4, &thread), 0);
        CHECK_EQ(store_log_open(loop, thread, &options, &calls, &log), 0);
        CHECK_EQ(store_log_append(log, STORE_FSYNC, 1, &part, 1, NULL), 0);
        store_thread_free(thread);
        store_log_free(log);
        loop_free(loop);
        CHECK_EQ(journal_start(&f), -EPROTONOSUPPORT);
        journal_done(&f);
}
