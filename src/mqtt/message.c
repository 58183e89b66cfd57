#include "mqtt/message.h"

#include "proto/mqtt/properties-encode.h"
#include "proto/mqtt/writer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

/* A form: both bits, one, or none. */
enum { FORM_WITH_ID = 1, FORM_5 = 2, FORMS = 4 };
/* To make another form takes about as long as ten copies put together of parts save. */
enum { WORTH_A_FORM = 10 };

/* Whole packets; RETAIN and DUP are 0. */
struct mqtt_forms {
        uint8_t *bytes[FORMS];
};

static unsigned form_of(enum mqtt_version version, bool with_id)
{
        return (version == MQTT_VERSION_5 ? FORM_5 : 0U) | (with_id ? FORM_WITH_ID : 0U);
}

static uint8_t first_byte(bool duplicate, uint8_t qos, bool retain)
{
        return (uint8_t)(MQTT_PUBLISH << 4 | (duplicate ? 8 : 0) | qos << 1 | (retain ? 1 : 0));
}

static uint32_t offset_of_id(const struct mqtt_message *message)
{
        return message->header_length + 2U + message->topic_length;
}

/* In `bytes`, behind their length. */
static uint32_t offset_of_properties(const struct mqtt_message *message)
{
        return offset_of_id(message) + (message->form & FORM_WITH_ID ? 2U : 0U) +
               mqtt_variable_size(message->properties_length);
}

struct mqtt_bytes mqtt_message_payload(const struct mqtt_message *message)
{
        uint32_t at = offset_of_id(message) + (message->form & FORM_WITH_ID ? 2U : 0U);

        if (message->form & FORM_5)
                at = offset_of_properties(message) + message->properties_length;
        return (struct mqtt_bytes){message->bytes + at, message->payload_length};
}

/* From the properties' begin: they are encoded in the order of their numbers. */
static uint32_t offset_of_expiry(const struct mqtt_message *message)
{
        return (message->has_payload_format ? 2U : 0U) + 1U;
}

/* What of the publisher's properties goes on to others. */
static struct mqtt_properties forwarded(const struct mqtt_properties *properties)
{
        struct mqtt_properties result = *properties;

        result.present &=
                ~(mqtt_property_bit(MQTT_TOPIC_ALIAS) | mqtt_property_bit(MQTT_SUBSCRIPTION_ID));
        return result;
}

static uint64_t remaining_length(unsigned form, uint64_t topic, uint64_t properties,
                                 uint64_t payload)
{
        uint64_t length = 2 + topic + (form & FORM_WITH_ID ? 2U : 0U) + payload;

        if (form & FORM_5)
                length += mqtt_variable_size((uint32_t)properties) + properties;
        return length;
}

static void fill(struct mqtt_message *message, const struct mqtt_publish *publish,
                 const struct mqtt_source *source, uint32_t remaining,
                 const struct mqtt_properties *properties)
{
        uint8_t *at = message->bytes;

        at = mqtt_put_byte(at, first_byte(false, message->form & FORM_WITH_ID ? 1 : 0, false));
        at = mqtt_put_variable(at, remaining);
        at = mqtt_put_text(at, publish->topic);
        /* Any but 0, so that it is a PUBLISH as it stands (mqtt_message_view). */
        if (message->form & FORM_WITH_ID)
                at = mqtt_put_two(at, 1);
        if (message->form & FORM_5)
                at = mqtt_put_properties(at, properties);
        mqtt_put_bytes(at, publish->payload.bytes, publish->payload.length);
        if (!properties)
                return;
        message->has_payload_format = properties->present & mqtt_property_bit(MQTT_PAYLOAD_FORMAT);
        if (properties->present & mqtt_property_bit(MQTT_MESSAGE_EXPIRY))
                message->expires_ms =
                        source->now_ms + (uint64_t)properties->message_expiry_s * 1000;
}

/* Behind the packet: the length of each of its texts, then these. */
struct author_lengths {
        uint16_t place, user, client_id;
};

static size_t author_size(const struct mqtt_author *author)
{
        return sizeof(struct author_lengths) + author->place.length + author->user.length +
               author->client_id.length;
}

static void put_author(uint8_t *at, const struct mqtt_author *author)
{
        const struct author_lengths lengths = {author->place.length, author->user.length,
                                               author->client_id.length};

        memcpy(at, &lengths, sizeof(lengths));
        at = mqtt_put_bytes(at + sizeof(lengths), author->place.bytes, author->place.length);
        at = mqtt_put_bytes(at, author->user.bytes, author->user.length);
        mqtt_put_bytes(at, author->client_id.bytes, author->client_id.length);
}

void mqtt_message_author(const struct mqtt_message *message, struct mqtt_author *ret)
{
        const uint8_t *at = message->bytes + mqtt_message_packet(message).length;
        const char *text = (const char *)at + sizeof(struct author_lengths);
        struct author_lengths lengths;

        assert(message->has_author);
        memcpy(&lengths, at, sizeof(lengths));
        ret->place = (struct mqtt_text){text, lengths.place};
        ret->user = (struct mqtt_text){text + lengths.place, lengths.user};
        ret->client_id = (struct mqtt_text){text + lengths.place + lengths.user, lengths.client_id};
}

int mqtt_message_new(const struct mqtt_publish *publish, const struct mqtt_source *source,
                     struct mqtt_message **ret)
{
        unsigned form = form_of(source->version, publish->qos > 0);
        struct mqtt_properties copy, *properties = NULL;
        struct mqtt_message *message;
        uint32_t properties_length = 0;
        uint64_t remaining;

        assert(publish->topic.length > 0 && publish->qos <= 2);
        if (form & FORM_5 && publish->properties.present) {
                copy = forwarded(&publish->properties);
                properties = &copy;
                properties_length = mqtt_properties_size(properties);
        }
        remaining = remaining_length(form, publish->topic.length, properties_length,
                                     publish->payload.length);
        if (remaining > MQTT_REMAINING_MAX)
                return -EMSGSIZE;
        message = malloc(sizeof(*message) + MQTT_HEADER_MAX + (size_t)remaining +
                         (source->author ? author_size(source->author) : 0));
        if (!message)
                return -ENOMEM;
        *message = (struct mqtt_message){
                .references = 1,
                .payload_length = publish->payload.length,
                .properties_length = properties_length,
                .topic_length = publish->topic.length,
                .qos = publish->qos,
                .origin = (uint8_t)source->origin,
                .retain = publish->retain,
                .has_author = source->author,
                .form = (uint8_t)form,
                .header_length = (uint8_t)(1 + mqtt_variable_size((uint32_t)remaining)),
                .publisher = source->publisher,
                .expires_ms = MQTT_NEVER_EXPIRES,
        };
        fill(message, publish, source, (uint32_t)remaining, properties);
        if (source->author)
                put_author(message->bytes + message->header_length + remaining, source->author);
        *ret = message;
        return 0;
}

/* About, of one form. */
static size_t form_bytes(const struct mqtt_message *message)
{
        enum { HEADERS = 16 };

        return HEADERS + mqtt_message_size(message);
}

static size_t bytes_of(const struct mqtt_message *message)
{
        size_t bytes = sizeof(*message) + form_bytes(message);

        if (message->has_author) {
                struct mqtt_author author;

                mqtt_message_author(message, &author);
                bytes += author_size(&author);
        }
        for (unsigned form = 0; message->more && form < FORMS; form++)
                if (message->more->bytes[form])
                        bytes += form_bytes(message);
        return bytes;
}

void mqtt_message_charge(struct mqtt_message *message, struct mqtt_ledger *ledger)
{
        message->ledger = ledger;
        mqtt_ledger_add(ledger, bytes_of(message));
}

struct mqtt_message *mqtt_message_unref(struct mqtt_message *message)
{
        if (!message || --message->references > 0)
                return NULL;
        mqtt_ledger_remove(message->ledger, bytes_of(message));
        for (unsigned form = 0; message->more && form < FORMS; form++)
                free(message->more->bytes[form]);
        free(message->more);
        free(message);
        return NULL;
}

uint32_t mqtt_message_expiry_s(const struct mqtt_message *message, uint64_t now_ms)
{
        if (mqtt_message_has_expired(message, now_ms))
                return 0;
        /* At most what a property held. */
        return (uint32_t)((message->expires_ms - now_ms + 999) / 1000);
}

enum mqtt_version mqtt_message_version(const struct mqtt_message *message)
{
        return message->form & FORM_5 ? MQTT_VERSION_5 : MQTT_VERSION_311;
}

struct mqtt_bytes mqtt_message_packet(const struct mqtt_message *message)
{
        struct mqtt_bytes payload = mqtt_message_payload(message);

        return (struct mqtt_bytes){message->bytes,
                                   (uint32_t)(payload.bytes - message->bytes) + payload.length};
}

void mqtt_message_view(const struct mqtt_message *message, struct mqtt_publish *ret)
{
        struct mqtt_bytes packet = mqtt_message_packet(message);
        struct mqtt_frame frame;
        int r;

        r = mqtt_frame_next(packet.bytes, packet.length, packet.length, &frame);
        assert(r == MQTT_FRAME_FOUND);
        r = mqtt_decode_publish(&frame, mqtt_message_version(message), ret);
        assert(r == 0);
        (void)r;
        ret->qos = message->qos;
        ret->retain = message->retain;
        ret->packet_id = 0;
}

static uint32_t ids_length(const struct mqtt_copy *copy)
{
        uint32_t length = 0;

        for (uint32_t i = 0; i < copy->ids_count; i++)
                length += 1 + mqtt_variable_size(copy->ids[i]);
        return length;
}

struct lengths {
        uint32_t topic, properties;
        uint64_t remaining;
};

static struct lengths lengths_of(const struct mqtt_message *message, const struct mqtt_copy *copy)
{
        unsigned form = form_of(copy->version, copy->qos > 0);
        struct lengths lengths = {.topic = (uint32_t)message->topic_length - copy->topic_from};

        if (form & FORM_5) {
                if (copy->without_topic)
                        lengths.topic = 0;
                lengths.properties =
                        message->properties_length + (copy->alias > 0 ? 3 : 0) + ids_length(copy);
        }
        lengths.remaining =
                remaining_length(form, lengths.topic, lengths.properties, message->payload_length);
        return lengths;
}

/* Of one that is not too long. */
static uint32_t header_length(const struct lengths *lengths)
{
        return 1 + mqtt_variable_size((uint32_t)lengths->remaining);
}

uint32_t mqtt_message_copy_length(const struct mqtt_message *message, const struct mqtt_copy *copy)
{
        struct lengths lengths = lengths_of(message, copy);

        if (lengths.remaining > MQTT_REMAINING_MAX)
                return 0;
        return (uint32_t)lengths.remaining + header_length(&lengths);
}

static uint8_t *put_properties(uint8_t *at, const struct mqtt_message *message,
                               const struct mqtt_copy *copy, uint32_t length)
{
        at = mqtt_put_variable(at, length);
        if (message->properties_length > 0) {
                uint8_t *begin = at;

                at = mqtt_put_bytes(at, message->bytes + offset_of_properties(message),
                                    message->properties_length);
                if (message->expires_ms != MQTT_NEVER_EXPIRES)
                        mqtt_put_four(begin + offset_of_expiry(message),
                                      mqtt_message_expiry_s(message, copy->now_ms));
        }
        if (copy->alias > 0)
                at = mqtt_put_two(mqtt_put_byte(at, MQTT_TOPIC_ALIAS), copy->alias);
        for (uint32_t i = 0; i < copy->ids_count; i++)
                at = mqtt_put_variable(mqtt_put_byte(at, MQTT_SUBSCRIPTION_ID), copy->ids[i]);
        return at;
}

/* Of its parts. */
static void assemble(const struct mqtt_message *message, const struct mqtt_copy *copy,
                     const struct lengths *lengths, uint8_t *to)
{
        struct mqtt_bytes payload = mqtt_message_payload(message);
        struct mqtt_text topic = mqtt_message_topic(message);

        topic.bytes += copy->topic_from;
        topic.length = (uint16_t)lengths->topic;
        to = mqtt_put_byte(to, first_byte(copy->duplicate, copy->qos, copy->retain));
        to = mqtt_put_variable(to, (uint32_t)lengths->remaining);
        to = mqtt_put_text(to, topic);
        if (copy->qos > 0)
                to = mqtt_put_two(to, copy->packet_id);
        if (copy->version == MQTT_VERSION_5)
                to = put_properties(to, message, copy, lengths->properties);
        mqtt_put_bytes(to, payload.bytes, payload.length);
}

static void make_form(struct mqtt_message *message, unsigned form, const struct mqtt_copy *copy,
                      const struct lengths *lengths)
{
        uint8_t *bytes;

        message->asked[form] = 0;
        if (!message->more)
                message->more = calloc(1, sizeof(*message->more));
        bytes = message->more ? malloc((size_t)header_length(lengths) + lengths->remaining) : NULL;
        /* Without memory it will be asked for again. */
        if (!bytes)
                return;
        assemble(message, copy, lengths, bytes);
        message->more->bytes[form] = bytes;
        mqtt_ledger_add(message->ledger, form_bytes(message));
}

/* NULL: there is none. Not for what is retained, which would keep it for a long time. */
static const uint8_t *find_form(struct mqtt_message *message, const struct mqtt_copy *copy,
                                const struct lengths *lengths)
{
        unsigned form = form_of(copy->version, copy->qos > 0);

        if (copy->topic_from > 0)
                return NULL;
        if (form & FORM_5 && (copy->alias > 0 || copy->ids_count > 0 || copy->without_topic))
                return NULL;
        if (form == message->form)
                return message->bytes;
        if (message->more && message->more->bytes[form])
                return message->more->bytes[form];
        if (!copy->retain && ++message->asked[form] >= WORTH_A_FORM)
                make_form(message, form, copy, lengths);
        return NULL;
}

static void patch(const struct mqtt_message *message, const struct mqtt_copy *copy,
                  const struct lengths *lengths, uint8_t *bytes)
{
        uint8_t *at = bytes + header_length(lengths) + 2 + lengths->topic;

        bytes[0] = first_byte(copy->duplicate, copy->qos, copy->retain);
        if (copy->qos > 0)
                at = mqtt_put_two(at, copy->packet_id);
        if (copy->version == MQTT_VERSION_5 && message->expires_ms != MQTT_NEVER_EXPIRES)
                mqtt_put_four(at + mqtt_variable_size(lengths->properties) +
                                      offset_of_expiry(message),
                              mqtt_message_expiry_s(message, copy->now_ms));
}

void mqtt_message_put(struct mqtt_message *message, const struct mqtt_copy *copy, uint8_t *to)
{
        struct lengths lengths = lengths_of(message, copy);
        const uint8_t *form = find_form(message, copy, &lengths);

        if (form) {
                memcpy(to, form, header_length(&lengths) + (size_t)lengths.remaining);
                patch(message, copy, &lengths, to);
        } else {
                assemble(message, copy, &lengths, to);
        }
}

int mqtt_message_write(struct mqtt_message *message, const struct mqtt_copy *copy,
                       struct buffer *out)
{
        uint32_t length = mqtt_message_copy_length(message, copy);
        int r;

        if (length == 0)
                return -EMSGSIZE;
        r = buffer_reserve(out, length);
        if (r < 0)
                return r;
        mqtt_message_put(message, copy, (uint8_t *)buffer_data(out) + buffer_length(out));
        buffer_commit(out, length);
        return 0;
}
