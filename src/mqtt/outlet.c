#include "mqtt/outlet.h"

#include "mqtt/account.h"
#include "mqtt/mount.h"

#include <errno.h>

/* [MQTT-3.1.2-24]. */
static int check_length(const struct mqtt_client *client, uint32_t length)
{
        return length > 0 && length <= client->packet_bytes ? 0 : -EMSGSIZE;
}

/* How many bytes. */
static int write_copy(struct mqtt_client *client, const struct mqtt_outgoing *outgoing,
                      const struct mqtt_copy *copy)
{
        uint32_t length = mqtt_message_copy_length(outgoing->message, copy);
        int r = check_length(client, length);
        char *bytes;

        if (r < 0)
                return r;
        bytes = net_stream_claim(client->stream, length);
        if (!bytes)
                return -ENOMEM;
        mqtt_message_put(outgoing->message, copy, (uint8_t *)bytes);
        return (int)length;
}

static void count(struct mqtt_client *client, const struct mqtt_message *message, uint32_t length)
{
        struct mqtt_account *account = mqtt_account_of(client->session);
        uint64_t *counters = client->broker->counters;

        counters[MQTT_COUNT_DELIVERED]++;
        counters[MQTT_COUNT_PAYLOAD_DELIVERED] += message->payload_length;
        counters[MQTT_COUNT_PACKETS_SENT]++;
        counters[MQTT_COUNT_BYTES_SENT] += length;
        if (!account)
                return;
        account->delivered++;
        account->delivered_bytes += message->payload_length;
}

/* Returns `failure`. */
static int lose(struct mqtt_client *client, const struct mqtt_message *message, int failure)
{
        mqtt_drop(client->session, mqtt_message_topic(message),
                  failure == -ENOENT     ? MQTT_COUNT_DROPPED_DENIED
                  : failure == -EMSGSIZE ? MQTT_COUNT_DROPPED_TOO_LARGE
                                         : MQTT_COUNT_DROPPED_MEMORY);
        return failure;
}

/* An alias for the topic, if there are any. A packet that would be too large in full is not
 * tried: an alias that never arrived would stand for nothing. */
static void choose_alias(struct mqtt_client *client, const struct mqtt_outgoing *outgoing,
                         struct mqtt_copy *copy)
{
        enum { ALIAS_SIZE = 3 + 1 };
        struct mqtt_text topic = mqtt_message_topic(outgoing->message);
        struct mqtt_client_more *more;

        if (client->aliases_max == 0 ||
            mqtt_message_copy_length(outgoing->message, copy) + ALIAS_SIZE > client->packet_bytes)
                return;
        more = mqtt_client_more(client);
        if (!more ||
            (!more->aliases_out &&
             mqtt_alias_new(client->aliases_max, &client->broker->ledger, &more->aliases_out) < 0))
                return;
        topic.bytes += copy->topic_from;
        topic.length = (uint16_t)(topic.length - copy->topic_from);
        copy->alias = mqtt_alias_give(more->aliases_out, topic, &copy->without_topic);
}

int mqtt_outlet_write(struct mqtt_client *client, const struct mqtt_outgoing *outgoing)
{
        struct mqtt_copy copy = {
                .version = (enum mqtt_version)client->version,
                .qos = outgoing->qos,
                .retain = outgoing->retain,
                .duplicate = outgoing->duplicate,
                .packet_id = outgoing->packet_id,
                .ids_count = outgoing->ids_count,
                .ids = outgoing->ids,
                .now_ms = loop_now_ms(client->broker->loop),
        };
        int r = mqtt_mount_hidden(client->terms->mount, mqtt_message_topic(outgoing->message));

        if (r < 0)
                return lose(client, outgoing->message, r);
        copy.topic_from = (uint16_t)r;
        choose_alias(client, outgoing, &copy);
        r = write_copy(client, outgoing, &copy);
        if (r < 0)
                return lose(client, outgoing->message, r);
        count(client, outgoing->message, (uint32_t)r);
        return 0;
}
