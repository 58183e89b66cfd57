/* No memory for what is noted, kept back, or read back. */
#include "mqtt/journal-fixture.h"
#include "support/allocation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { ALLOCATIONS_MAX = 600 };

#define JOIN(id) id "> " KEEP_5(id) id "< " CONNACK_5

static void send_bytes(struct journal_fixture *f, size_t client, const char *text)
{
        size_t count;
        uint8_t *bytes = conversation_bytes(text, &count);

        CHECK_EQ(send(f->talk.fds[client], bytes, count, MSG_NOSIGNAL), count);
        free(bytes);
}

/* PUBACKs that say yes. */
static unsigned count_acknowledged(struct journal_fixture *f, size_t client)
{
        struct buffer *heard = &f->talk.heard[client];
        unsigned count = 0;

        while (buffer_length(heard) >= 4) {
                const uint8_t *bytes = (const uint8_t *)buffer_data(heard);

                count += bytes[0] == 0x40 && bytes[1] == 2;
                buffer_consume(heard, bytes[1] + 2U);
        }
        return count;
}

/* What is there before a kill is there after it, whatever there was no memory for. True: the
 * allocation was reached. */
static bool publish_without(size_t n, bool lasting)
{
        const struct mqtt_session *s;
        struct journal_fixture f;
        unsigned acknowledged, queued;
        bool failed;

        journal_init(&f, MQTT_DURABILITY_FSYNC, MQTT_DURABILITY_FSYNC);
        CHECK_EQ(journal_start(&f), 0);
        journal_run(&f, JOIN("s") "s> 82{0001 () [k] 01}\ns< 90{0001 () 01}\ns.\np@5\n+1000\n");
        send_bytes(&f, 'p' - 'a', "32{[k]0001()'1'} 33{[k]0002()'2'} 32{[k]0003()'3'}");
        if (lasting)
                allocation_fail_from(n);
        else
                allocation_fail_at(n);
        for (unsigned i = 0; i < 6; i++)
                loop_run_once(f.talk.loop, 0);
        failed = allocation_end();
        journal_run(&f, "+30000\n+30000\n");
        acknowledged = count_acknowledged(&f, 'p' - 'a');
        s = mqtt_session_find(f.talk.broker, (struct mqtt_text){"s", 1});
        queued = s->queue.count;
        if (!failed)
                CHECK(acknowledged == 3 && queued == 3);
        journal_kill(&f);
        s = mqtt_session_find(f.talk.broker, (struct mqtt_text){"s", 1});
        CHECK(s != NULL);
        if (s->queue.count != queued)
                FAIL("allocation %zu: %u of %u are left", n, (unsigned)s->queue.count, queued);
        CHECK_EQ(f.damages, 0);
        journal_done(&f);
        return failed;
}

TEST(whatever_there_is_no_memory_for_the_journal_has_what_the_broker_has)
{
        size_t n = 1;

        while (n < ALLOCATIONS_MAX && publish_without(n, false))
                n++;
        CHECK(n > 5 && n < ALLOCATIONS_MAX);
        for (n = 1; n < 12; n++)
                publish_without(n, true);
}

/* A broker that cannot begin says so, and leaves the folder as it was. */
TEST(without_memory_to_read_it_back_there_is_no_start)
{
        struct journal_fixture f;
        struct mqtt_broker_figures figures;
        bool failed;
        size_t n = 0;

        journal_init(&f, MQTT_DURABILITY_FSYNC, MQTT_DURABILITY_FSYNC);
        CHECK_EQ(journal_start(&f), 0);
        journal_run(&f, JOIN("s") "s> 82{0001 (0B 05) [k] 02} 82{0002 () [+] 02}\n"
                                  "s< 90{0001 () 02} 90{0002 () 02}\n" JOIN("t"));
        journal_run(&f, "p@5\n"
                        "p> 34{[k]0001()'1'} 33{[r]0002(02 00000064)'2'}\n"
                        "p~\ns~\n"
                        "u> 10{[MQTT] 05 06 0000 (11 00000E10) [u] (18 00000064) [w] [gone]}\n"
                        "u~\n"
                        "u.\ns.\n"
                        "p> 32{[k]0003()'3'}\np~\n");
        journal_stop(&f);
        do {
                struct error error = {0};
                int r;

                conversation_init(&f.talk, f.limits, f.hooks);
                CHECK_EQ(store_thread_new(f.talk.loop, 4, &f.talk.thread), 0);
                allocation_fail_at(++n);
                r = mqtt_broker_keep(f.talk.broker, f.talk.thread, &f.options, &error);
                failed = allocation_end();
                if (r < 0)
                        CHECK_EQ(r, -ENOMEM);
                CHECK(failed || r == 0);
                mqtt_broker_figures(f.talk.broker, &figures);
                conversation_done(&f.talk);
        } while (failed && n < ALLOCATIONS_MAX);
        f.talk.broker = NULL;
        CHECK(n > 20 && n < ALLOCATIONS_MAX);
        CHECK_EQ(figures.sessions, 3);
        CHECK_EQ(figures.subscriptions, 2);
        CHECK_EQ(figures.retained_messages, 1);
        journal_done(&f);
}
