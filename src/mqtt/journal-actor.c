#include "mqtt/journal-actor.h"

#include "proto/mqtt/encode.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_MAX = 1 << 20 };

void actor_init(struct actor *actor, size_t client, bool is_5, bool subscribes)
{
        memset(actor, 0, sizeof(*actor));
        actor->client = client;
        actor->is_5 = is_5;
        actor->subscribes = subscribes;
        actor->next_id = 1;
        actor->heard = calloc(ACTOR_MESSAGES, 1);
        CHECK(actor->heard != NULL);
}

void actor_done(struct actor *actor)
{
        free(actor->heard);
}

static enum mqtt_version version_of(const struct actor *actor)
{
        return actor->is_5 ? MQTT_VERSION_5 : MQTT_VERSION_311;
}

static void say(struct actor_world *world, const struct actor *actor, struct buffer *out)
{
        int fd = world->f->talk.fds[actor->client];

        if (fd >= 0)
                (void)!send(fd, buffer_data(out), buffer_length(out), MSG_NOSIGNAL);
        buffer_done(out);
}

void actor_connect(struct actor_world *world, struct actor *actor)
{
        char name = (char)('a' + actor->client);
        struct mqtt_connect connect = {.version = version_of(actor), .client_id = {&name, 1}};
        struct buffer out;

        if (actor->connected)
                return;
        conversation_dial(&world->f->talk, actor->client);
        connect.properties.present = mqtt_property_bit(MQTT_SESSION_EXPIRY);
        connect.properties.session_expiry_s = UINT32_MAX;
        buffer_init(&out, OUT_MAX);
        CHECK_EQ(mqtt_encode_connect(&out, &connect), 0);
        say(world, actor, &out);
        actor->connected = true;
        actor->accepted = false;
}

void actor_lose(struct actor_world *world, struct actor *actor)
{
        int *fd = &world->f->talk.fds[actor->client];

        if (*fd >= 0)
                close(*fd);
        *fd = -1;
        buffer_truncate(&world->f->talk.heard[actor->client], 0);
        actor->connected = actor->accepted = false;
}

static void send_publish(struct actor_world *world, const struct actor *actor, uint16_t id,
                         bool duplicate)
{
        const struct actor_sent *sent = &actor->sent[id];
        char payload[16];
        bool retain = sent->number % 5 == 0;
        struct mqtt_publish publish = {.topic = retain ? (struct mqtt_text){"r", 1}
                                                       : (struct mqtt_text){"t", 1},
                                       .qos = sent->qos,
                                       .retain = retain,
                                       .duplicate = duplicate,
                                       .packet_id = id,
                                       .payload.bytes = (const uint8_t *)payload};
        struct buffer out;

        publish.payload.length =
                (uint32_t)snprintf(payload, sizeof(payload), "%u", (unsigned)sent->number);
        buffer_init(&out, OUT_MAX);
        CHECK_EQ(mqtt_encode_publish(&out, version_of(actor), &publish), 0);
        say(world, actor, &out);
}

void actor_publish(struct actor_world *world, struct actor *actor, uint8_t qos, bool retain)
{
        uint16_t id = actor->next_id;

        if (!actor->accepted || actor->sent[id].number > 0 || world->numbers + 6 >= ACTOR_MESSAGES)
                return;
        /* Those that five divides are retained. */
        do
                world->numbers++;
        while ((world->numbers % 5 == 0) != retain);
        actor->sent[id] = (struct actor_sent){.number = world->numbers, .qos = qos};
        world->qos[world->numbers] = qos;
        actor->next_id = (uint16_t)(id % ACTOR_WINDOW + 1);
        send_publish(world, actor, id, false);
}

static void answer(struct actor_world *world, const struct actor *actor, enum mqtt_type type,
                   uint16_t id)
{
        struct mqtt_acknowledgement packet = {.packet_id = id};
        struct buffer out;

        buffer_init(&out, OUT_MAX);
        CHECK_EQ(mqtt_encode_acknowledgement(&out, version_of(actor), type, &packet), 0);
        say(world, actor, &out);
}

static void subscribe(struct actor_world *world, const struct actor *actor)
{
        const struct mqtt_subscription wanted = {.filter = {"t", 1}, .qos = 2};
        struct buffer out;

        buffer_init(&out, OUT_MAX);
        CHECK_EQ(mqtt_encode_subscribe(&out, version_of(actor), 1, NULL, &wanted, 1), 0);
        say(world, actor, &out);
}

/* [MQTT-4.4.0-1]: what was not acknowledged, in order. */
static void go_on(struct actor_world *world, struct actor *actor)
{
        for (unsigned i = 0; i < ACTOR_WINDOW; i++) {
                uint16_t id = (uint16_t)((actor->next_id - 1 + i) % ACTOR_WINDOW + 1);

                if (actor->sent[id].released)
                        answer(world, actor, MQTT_PUBREL, id);
                else if (actor->sent[id].number > 0)
                        send_publish(world, actor, id, true);
        }
}

static void on_connack(struct actor_world *world, struct actor *actor,
                       const struct mqtt_frame *frame)
{
        struct mqtt_connack connack;

        CHECK_EQ(mqtt_decode_connack(frame, version_of(actor), &connack), 0);
        CHECK_EQ(connack.reason, MQTT_SUCCESS);
        if (actor->had_session && !connack.session_present)
                FAIL("client %c: its session is lost", (char)('a' + actor->client));
        actor->had_session = actor->accepted = true;
        if (!connack.session_present && actor->subscribes)
                subscribe(world, actor);
        go_on(world, actor);
}

static void on_publish(struct actor_world *world, struct actor *actor,
                       const struct mqtt_frame *frame)
{
        struct mqtt_publish publish;
        char text[16] = "";
        unsigned long number;

        CHECK_EQ(mqtt_decode_publish(frame, version_of(actor), &publish), 0);
        CHECK(publish.payload.length < sizeof(text));
        memcpy(text, publish.payload.bytes, publish.payload.length);
        number = strtoul(text, NULL, 10);
        CHECK(number > 0 && number <= world->numbers && publish.qos > 0);
        if (publish.qos == 2 && actor->remembered[publish.packet_id]) {
                if (!publish.duplicate)
                        FAIL("client %c: another message under %u, which it remembers",
                             (char)('a' + actor->client), (unsigned)publish.packet_id);
        } else {
                actor->heard[number] += actor->heard[number] < UINT8_MAX;
                if (publish.qos == 2 && actor->heard[number] > 1)
                        FAIL("client %c: %lu of QoS 2 came again", (char)('a' + actor->client),
                             number);
        }
        if (publish.qos == 2)
                actor->remembered[publish.packet_id] = true;
        answer(world, actor, publish.qos == 2 ? MQTT_PUBREC : MQTT_PUBACK, publish.packet_id);
}

static void promise(struct actor_world *world, const struct actor *actor, uint16_t id)
{
        world->promised[actor->sent[id].number] = true;
}

static void on_acknowledgement(struct actor_world *world, struct actor *actor,
                               const struct mqtt_frame *frame)
{
        struct mqtt_acknowledgement packet;
        struct actor_sent *sent;

        CHECK_EQ(mqtt_decode_acknowledgement(frame, version_of(actor), &packet), 0);
        if (frame->type == MQTT_PUBREL) {
                actor->remembered[packet.packet_id] = false;
                answer(world, actor, MQTT_PUBCOMP, packet.packet_id);
                return;
        }
        CHECK(packet.packet_id > 0 && packet.packet_id <= ACTOR_WINDOW);
        sent = &actor->sent[packet.packet_id];
        CHECK(packet.reason < MQTT_UNSPECIFIED_ERROR || frame->type == MQTT_PUBCOMP);
        if (sent->number == 0)
                return;
        switch (frame->type) {
        case MQTT_PUBACK:
                CHECK_EQ(sent->qos, 1);
                promise(world, actor, packet.packet_id);
                *sent = (struct actor_sent){0};
                break;
        case MQTT_PUBREC:
                CHECK_EQ(sent->qos, 2);
                promise(world, actor, packet.packet_id);
                sent->released = true;
                answer(world, actor, MQTT_PUBREL, packet.packet_id);
                break;
        default:
                CHECK(sent->released);
                *sent = (struct actor_sent){0};
        }
}

static void on_packet(struct actor_world *world, struct actor *actor,
                      const struct mqtt_frame *frame)
{
        switch (frame->type) {
        case MQTT_CONNACK:
                on_connack(world, actor, frame);
                break;
        case MQTT_PUBLISH:
                on_publish(world, actor, frame);
                break;
        case MQTT_SUBACK:
                break;
        case MQTT_PUBACK:
        case MQTT_PUBREC:
        case MQTT_PUBREL:
        case MQTT_PUBCOMP:
                on_acknowledgement(world, actor, frame);
                break;
        default:
                FAIL("client %c: a packet of type %d", (char)('a' + actor->client),
                     (int)frame->type);
        }
}

void actor_listen(struct actor_world *world, struct actor *actor)
{
        struct buffer *heard = &world->f->talk.heard[actor->client];
        struct mqtt_frame frame;

        while (actor->connected &&
               mqtt_frame_next((const uint8_t *)buffer_data(heard), buffer_length(heard), OUT_MAX,
                               &frame) == MQTT_FRAME_FOUND) {
                on_packet(world, actor, &frame);
                buffer_consume(heard, frame.length);
        }
}

bool actor_is_idle(const struct actor *actor)
{
        for (size_t i = 1; i <= ACTOR_WINDOW; i++)
                if (actor->sent[i].number > 0)
                        return false;
        return actor->accepted;
}
