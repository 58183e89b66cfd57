/* Clients that publish and subscribe at random, while the broker is killed and the power is cut at
 * random: what was acknowledged arrives, and what was of QoS 2 once.
 *
 * The power is cut while the store thread is at it: the folder is rebuilt as any of its calls may
 * have left it (support/disk-record.h), and nobody heard of what came of them. With an interval,
 * which promises less, the broker ends, or is killed a second after the last change. */
#include "base/attributes.h"
#include "mqtt/journal-actor.h"
#include "store/log-internal.h"
#include "support/disk-record.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
        ACTORS = 5,
        STEPS = 4000,
        STEPS_LONG = 12000,
        LIVES_OPERATIONS = 600, /* more are not recorded in one life */
        INTERVAL_MS = 1000,
        LOSSES = DISK_LOSES_AT_RANDOM + 8,
        SETTLE_ROUNDS = 400,
};

struct model {
        struct journal_fixture f;
        struct actor actors[ACTORS];
        struct actor_world world;
        struct store_job after; /* behind what the log has under way */
        int passed[2];
        bool working;
        uint64_t random;
        unsigned cuts, losses;
};

static uint32_t choose(struct model *m, uint32_t below)
{
        m->random = m->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(m->random >> 33) % below;
}

static void say_passed(struct store_job *job)
{
        const struct model *m = container_of(job, struct model, after);

        (void)!write(m->passed[1], "", 1);
}

static void note_passed(struct store_job *job)
{
        container_of(job, struct model, after)->working = false;
}

/* The thread does what it was given, and we hear nothing of it. */
static void let_thread_work(struct model *m)
{
        char byte;

        CHECK_EQ(pipe2(m->passed, O_CLOEXEC), 0);
        m->after.run = say_passed;
        m->after.done = note_passed;
        m->working = true;
        CHECK_EQ(store_thread_submit(m->f.talk.thread, &m->after), 0);
        close(m->f.gate[1]);
        CHECK_EQ(read(m->passed[0], &byte, 1), 1);
}

static bool is_number(const struct mqtt_delivery *delivery, uint32_t number)
{
        struct mqtt_bytes payload;
        char text[16] = "";

        if (!delivery->message)
                return false;
        payload = mqtt_message_payload(delivery->message);
        memcpy(text, payload.bytes, payload.length);
        return strtoul(text, NULL, 10) == number;
}

static bool has_delivery(const struct mqtt_session *session, uint32_t number)
{
        const struct mqtt_delivery *delivery;
        uint32_t at = 0;
        uint16_t id;

        while ((delivery = mqtt_inflight_next(&session->inflight, &at, &id)) != NULL)
                if (is_number(delivery, number))
                        return true;
        for (at = 0; at < session->queue.count; at++)
                if (is_number(mqtt_queue_at(&session->queue, at), number))
                        return true;
        return false;
}

static struct mqtt_session *session_of(const struct model *m, const struct actor *actor)
{
        char name = (char)('a' + actor->client);

        return mqtt_session_find(m->f.talk.broker, (struct mqtt_text){&name, 1});
}

/* What the broker remembers of a publisher, and so does not take again, all have or had. */
static void check_received(const struct model *m, const struct actor *actor)
{
        const struct mqtt_session *session = session_of(m, actor);

        for (uint16_t id = 1; session && id <= ACTOR_WINDOW; id++) {
                uint32_t number = actor->sent[id].number;

                if (number == 0 || number % 5 == 0 || !mqtt_id_set_has(&session->received, id))
                        continue;
                for (size_t i = 0; i < ACTORS; i++) {
                        const struct actor *other = &m->actors[i];

                        if (other->subscribes && other->heard[number] == 0 &&
                            !has_delivery(session_of(m, other), number))
                                FAIL("%u is remembered and not there for client %c in %s",
                                     (unsigned)number, (char)('a' + i), m->f.path);
                }
        }
}

static void check_begin(const struct model *m)
{
        CHECK_EQ(m->f.damages, 0);
        for (size_t i = 0; i < ACTORS; i++)
                check_received(m, &m->actors[i]);
}

static void begin_life(struct model *m)
{
        disk_record_begin(m->f.path);
        CHECK_EQ(journal_start(&m->f), 0);
        check_begin(m);
}

static void act(struct model *m)
{
        struct actor *actor = &m->actors[choose(m, ACTORS)];

        switch (choose(m, 12)) {
        case 0:
                actor_lose(&m->world, actor);
                break;
        case 1:
        case 2:
                actor_connect(&m->world, actor);
                break;
        case 3:
        case 4:
        case 5:
                actor_publish(&m->world, actor, (uint8_t)(1 + choose(m, 2)), choose(m, 4) == 0);
                break;
        case 6:
                if (choose(m, 4) == 0)
                        store_log_renew(m->f.talk.broker->journal->log);
                break;
        case 7:
                loop_advance_ms(m->f.talk.loop, choose(m, 700));
                break;
        default:
                actor_listen(&m->world, actor);
        }
}

static void lose_all(struct model *m)
{
        for (size_t i = 0; i < ACTORS; i++)
                actor_lose(&m->world, &m->actors[i]);
}

/* In another folder, as one of the calls left it. */
static void cut_power(struct model *m)
{
        char path[64];
        size_t from, to, at;

        journal_stall(&m->f);
        for (unsigned i = choose(m, 12); i > 0; i--) {
                act(m);
                conversation_settle(&m->f.talk);
        }
        from = disk_record_count();
        let_thread_work(m);
        to = disk_record_end();
        at = from + choose(m, (uint32_t)(to - from + 1));
        journal_make_folder(path);
        disk_rebuild(at, choose(m, LOSSES), path);
        disk_record_forget();
        lose_all(m);
        while (m->f.stalled || m->working)
                loop_run_once(m->f.talk.loop, 1000);
        close(m->f.gate[0]);
        close(m->passed[0]);
        close(m->passed[1]);
        journal_stop(&m->f);
        journal_move(&m->f, path);
        begin_life(m);
        m->cuts++;
}

static void end_or_kill(struct model *m)
{
        lose_all(m);
        conversation_settle(&m->f.talk);
        if (choose(m, 2) == 0) {
                journal_restart(&m->f);
        } else {
                loop_advance_ms(m->f.talk.loop, INTERVAL_MS);
                conversation_settle(&m->f.talk);
                journal_kill(&m->f);
        }
        check_begin(m);
        m->cuts++;
}

static bool all_are_idle(const struct model *m)
{
        for (size_t i = 0; i < ACTORS; i++)
                if (!actor_is_idle(&m->actors[i]))
                        return false;
        return true;
}

static void let_them_finish(struct model *m)
{
        unsigned quiet = 0;

        for (unsigned round = 0; round < SETTLE_ROUNDS && quiet < 8; round++) {
                for (size_t i = 0; i < ACTORS; i++) {
                        actor_connect(&m->world, &m->actors[i]);
                        actor_listen(&m->world, &m->actors[i]);
                }
                conversation_settle(&m->f.talk);
                quiet = all_are_idle(m) ? quiet + 1 : 0;
        }
        CHECK(quiet > 0);
}

/* Of several publishers any may have been the last. */
static void check_retained(const struct model *m)
{
        const struct mqtt_message *message =
                mqtt_retained_get(m->f.talk.broker->retained, (struct mqtt_text){"r", 1}, 0);
        char text[16] = "";
        struct mqtt_bytes payload;

        CHECK(message != NULL);
        payload = mqtt_message_payload(message);
        memcpy(text, payload.bytes, payload.length);
        CHECK(m->world.promised[strtoul(text, NULL, 10)]);
}

static void check_all(struct model *m)
{
        for (uint32_t number = 1; number <= m->world.numbers; number++) {
                if (!m->world.promised[number] || number % 5 == 0)
                        continue;
                for (size_t i = 0; i < ACTORS; i++) {
                        const struct actor *actor = &m->actors[i];

                        if (actor->subscribes && actor->heard[number] == 0)
                                FAIL("client %c never got %u of QoS %u", (char)('a' + i),
                                     (unsigned)number, (unsigned)m->world.qos[number]);
                }
        }
}

static void live(uint64_t seed, enum mqtt_durability durability, unsigned steps)
{
        struct model *m = calloc(1, sizeof(*m));

        CHECK(m != NULL);
        m->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
        journal_init(&m->f, durability, durability);
        m->f.limits = &mqtt_limits_default;
        m->world.f = &m->f;
        for (size_t i = 0; i < ACTORS; i++)
                actor_init(&m->actors[i], i, i % 2 == 0, i >= 3);
        if (durability == MQTT_DURABILITY_FSYNC)
                begin_life(m);
        else
                CHECK_EQ(journal_start(&m->f), 0);
        let_them_finish(m);
        for (unsigned i = 0; i < steps; i++) {
                act(m);
                if (choose(m, 3) == 0)
                        conversation_settle(&m->f.talk);
                if (choose(m, 25) != 0 && disk_record_count() <= LIVES_OPERATIONS)
                        continue;
                if (durability == MQTT_DURABILITY_FSYNC)
                        cut_power(m);
                else
                        end_or_kill(m);
        }
        let_them_finish(m);
        check_all(m);
        check_retained(m);
        CHECK(m->cuts > 10 && m->world.numbers > 50);
        disk_record_end();
        disk_record_forget();
        journal_done(&m->f);
        for (size_t i = 0; i < ACTORS; i++)
                actor_done(&m->actors[i]);
        free(m);
}

static void live_many(enum mqtt_durability durability)
{
        bool is_long = getenv("PIFLEET_LONG") != NULL;

        for (uint64_t seed = 1; seed <= (is_long ? 100 : 8); seed++)
                live(seed, durability, is_long ? STEPS_LONG : STEPS);
}

TEST(whatever_happens_when_what_was_acknowledged_arrives_and_qos_2_once)
{
        live_many(MQTT_DURABILITY_FSYNC);
}

TEST(with_an_interval_too_after_an_end_or_a_quiet_second)
{
        live_many(MQTT_DURABILITY_INTERVAL);
}
