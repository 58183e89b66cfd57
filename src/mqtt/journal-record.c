#include "mqtt/journal-record.h"

#include "base/attributes.h"

#include <errno.h>
#include <string.h>

/* How a member is encoded. */
enum form {
        FORM_END,
        FORM_BYTE, /* uint8_t: itself */
        FORM_TWO,  /* uint16_t, uint32_t, uint64_t: a variable byte integer */
        FORM_FOUR,
        FORM_EIGHT,
        FORM_TIME,    /* uint64_t: the same of one more, so that "never" is short */
        FORM_FLAGS,   /* qos, retain, released */
        FORM_OPTIONS, /* of a subscription */
        FORM_IDS,
        FORM_TEXT,
        FORM_PACKET,
};

struct member {
        uint8_t form;
        uint8_t offset;
};

#define MEMBER(form, name)                                                                         \
        {                                                                                          \
                FORM_##form, offsetof(struct mqtt_record, name)                                    \
        }
#define SESSION_NUMBER MEMBER(EIGHT, session)
#define MESSAGE_NUMBER MEMBER(EIGHT, message)
#define FLAGS MEMBER(FLAGS, qos)
#define PACKET_ID MEMBER(TWO, packet_id)
#define MESSAGE                                                                                    \
        MESSAGE_NUMBER, MEMBER(EIGHT, publisher), MEMBER(TIME, time_ms), MEMBER(BYTE, origin),     \
                MEMBER(BYTE, version), FLAGS, MEMBER(PACKET, packet)

_Static_assert(sizeof(struct mqtt_record) <= UINT8_MAX, "struct member has offsets of one byte");

enum { MEMBERS_MAX = 10 };

static const struct member table[MQTT_CHANGES][MEMBERS_MAX] = {
        [MQTT_CHANGE_CLOCK] = {MEMBER(EIGHT, time_ms), MEMBER(EIGHT, wall_ms),
                               MEMBER(EIGHT, boot_ms), MEMBER(EIGHT, boot)},
        [MQTT_CHANGE_MESSAGE] = {MESSAGE},
        [MQTT_CHANGE_RETAINED] = {MESSAGE_NUMBER},
        [MQTT_CHANGE_CLEARED] = {MEMBER(TEXT, text)},
        [MQTT_CHANGE_SESSION] = {SESSION_NUMBER, MEMBER(EIGHT, as_of), MEMBER(FOUR, owner),
                                 MEMBER(FOUR, expiry_s), MEMBER(TIME, time_ms), PACKET_ID,
                                 MEMBER(TEXT, text)},
        [MQTT_CHANGE_ENDED] = {SESSION_NUMBER},
        [MQTT_CHANGE_PRESENCE] = {SESSION_NUMBER, MEMBER(FOUR, expiry_s), MEMBER(TIME, time_ms)},
        [MQTT_CHANGE_WILL] = {SESSION_NUMBER, MEMBER(FOUR, delay_s), MEMBER(BYTE, version), FLAGS,
                              MEMBER(TEXT, user), MEMBER(PACKET, packet)},
        [MQTT_CHANGE_WILL_GONE] = {SESSION_NUMBER},
        [MQTT_CHANGE_SUBSCRIBED] = {SESSION_NUMBER, MEMBER(OPTIONS, options), MEMBER(TEXT, text)},
        [MQTT_CHANGE_UNSUBSCRIBED] = {SESSION_NUMBER, MEMBER(TEXT, text)},
        [MQTT_CHANGE_RECEIVED] = {SESSION_NUMBER, PACKET_ID},
        [MQTT_CHANGE_FORGOTTEN] = {SESSION_NUMBER, PACKET_ID},
        [MQTT_CHANGE_QUEUED] = {SESSION_NUMBER, MESSAGE_NUMBER, FLAGS, MEMBER(IDS, ids)},
        [MQTT_CHANGE_TAKEN] = {SESSION_NUMBER},
        [MQTT_CHANGE_MOVED] = {SESSION_NUMBER, PACKET_ID},
        [MQTT_CHANGE_SENT] = {SESSION_NUMBER, MESSAGE_NUMBER, FLAGS, PACKET_ID, MEMBER(IDS, ids)},
        [MQTT_CHANGE_RELEASED] = {SESSION_NUMBER, PACKET_ID},
        [MQTT_CHANGE_DONE] = {SESSION_NUMBER, PACKET_ID},
        [MQTT_CHANGE_AUTHORED] = {MESSAGE, MEMBER(TEXT, place), MEMBER(TEXT, user),
                                  MEMBER(TEXT, text)},
};

/* Bits of FORM_FLAGS and FORM_OPTIONS behind the QoS. */
enum { FLAG_RETAIN = 4, FLAG_RELEASED = 8, FLAGS_ALL = 15 };
enum { OPTION_NO_LOCAL = 4, OPTION_AS_PUBLISHED = 8, OPTION_HANDLING = 4 /* shift */ };
enum { QOS_MASK = 3, QOS_MAX = 2, HANDLING_MAX = 2, ID_MAX = 268435455 };

/* --- to bytes: into room that is large enough --- */

enum { NUMBER_MAX = 10 }; /* bytes of a variable byte integer of 64 bits */

static uint8_t *put_number(uint8_t *to, uint64_t value)
{
        for (; value > 127; value >>= 7)
                *to++ = (uint8_t)(value | 0x80);
        *to++ = (uint8_t)value;
        return to;
}

static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t count)
{
        to = put_number(to, count);
        if (count > 0)
                memcpy(to, bytes, count);
        return to + count;
}

static uint8_t flags_of(const struct mqtt_record *record)
{
        return (uint8_t)(record->qos | (record->retain ? FLAG_RETAIN : 0) |
                         (record->released ? FLAG_RELEASED : 0));
}

static uint8_t *put_options(uint8_t *to, const struct mqtt_subscription_options *options)
{
        *to++ = (uint8_t)(options->qos | (options->no_local ? OPTION_NO_LOCAL : 0) |
                          (options->retain_as_published ? OPTION_AS_PUBLISHED : 0) |
                          options->retain_handling << OPTION_HANDLING);
        return put_number(to, options->id);
}

static uint8_t *put_ids(uint8_t *to, const struct mqtt_record *record)
{
        to = put_number(to, record->ids_count);
        for (uint32_t i = 0; i < record->ids_count; i++)
                to = put_number(to, record->ids[i]);
        return to;
}

static uint8_t *put_member(uint8_t *to, const struct mqtt_record *record,
                           const struct member *member)
{
        const void *at = (const char *)record + member->offset;

        switch ((enum form)member->form) {
        case FORM_BYTE:
                *to++ = *(const uint8_t *)at;
                return to;
        case FORM_TWO:
                return put_number(to, *(const uint16_t *)at);
        case FORM_FOUR:
                return put_number(to, *(const uint32_t *)at);
        case FORM_EIGHT:
                return put_number(to, *(const uint64_t *)at);
        case FORM_TIME:
                return put_number(to, *(const uint64_t *)at + 1);
        case FORM_FLAGS:
                *to++ = flags_of(record);
                return to;
        case FORM_OPTIONS:
                return put_options(to, at);
        case FORM_IDS:
                return put_ids(to, record);
        case FORM_TEXT: {
                const struct mqtt_text *text = at;

                return put_bytes(to, text->bytes, text->length);
        }
        case FORM_PACKET: {
                const struct mqtt_bytes *packet = at;

                return put_bytes(to, packet->bytes, packet->length);
        }
        case FORM_END:
                break;
        }
        return to;
}

int mqtt_record_encode(const struct mqtt_record *record, struct buffer *out)
{
        const struct member *members = table[record->change];
        size_t most = 1 + (size_t)MEMBERS_MAX * NUMBER_MAX +
                      (size_t)record->ids_count * NUMBER_MAX + record->text.length +
                      record->user.length + record->place.length + record->packet.length;
        int r = buffer_reserve(out, most);
        uint8_t *begin, *to;

        if (r < 0)
                return r;
        begin = to = (uint8_t *)buffer_data(out) + buffer_length(out);
        *to++ = record->change;
        for (size_t i = 0; i < MEMBERS_MAX && members[i].form != FORM_END; i++)
                to = put_member(to, record, &members[i]);
        buffer_commit(out, (size_t)(to - begin));
        return 0;
}

/* --- and back --- */

struct reader {
        const uint8_t *bytes;
        size_t count, at;
        bool bad;
};

static uint8_t read_byte(struct reader *reader)
{
        if (reader->at < reader->count)
                return reader->bytes[reader->at++];
        reader->bad = true;
        return 0;
}

static uint64_t read_number(struct reader *reader, uint64_t most)
{
        uint64_t value = 0;

        for (unsigned shift = 0; shift < 64; shift += 7) {
                uint8_t byte = read_byte(reader);
                uint64_t bits = byte & 0x7f;

                if (shift == 63 && bits > 1)
                        break;
                value |= bits << shift;
                if (byte < 0x80) {
                        reader->bad = reader->bad || value > most;
                        return value;
                }
        }
        reader->bad = true;
        return 0;
}

static const uint8_t *read_bytes(struct reader *reader, uint32_t most, uint32_t *ret_count)
{
        uint64_t count = read_number(reader, most);
        const uint8_t *bytes = reader->bytes + reader->at;

        if (reader->bad || count > reader->count - reader->at) {
                reader->bad = true;
                *ret_count = 0;
                return NULL;
        }
        reader->at += (size_t)count;
        *ret_count = (uint32_t)count;
        return bytes;
}

static void read_flags(struct reader *reader, struct mqtt_record *ret)
{
        uint8_t flags = read_byte(reader);

        ret->qos = flags & QOS_MASK;
        ret->retain = flags & FLAG_RETAIN;
        ret->released = flags & FLAG_RELEASED;
        if (ret->qos > QOS_MAX || flags > FLAGS_ALL)
                reader->bad = true;
}

static void read_options(struct reader *reader, struct mqtt_subscription_options *ret)
{
        uint8_t byte = read_byte(reader);

        ret->qos = byte & QOS_MASK;
        ret->no_local = byte & OPTION_NO_LOCAL;
        ret->retain_as_published = byte & OPTION_AS_PUBLISHED;
        ret->retain_handling = byte >> OPTION_HANDLING;
        ret->id = (uint32_t)read_number(reader, ID_MAX);
        if (ret->qos > QOS_MAX || ret->retain_handling > HANDLING_MAX)
                reader->bad = true;
}

static void read_ids(struct reader *reader, struct mqtt_record *ret)
{
        size_t begin;

        ret->ids_count = (uint32_t)read_number(reader, UINT32_MAX);
        begin = reader->at;
        for (uint32_t i = 0; i < ret->ids_count && !reader->bad; i++)
                if (read_number(reader, ID_MAX) == 0)
                        reader->bad = true;
        ret->ids_encoded =
                (struct mqtt_bytes){reader->bytes + begin, (uint32_t)(reader->at - begin)};
}

static void read_member(struct reader *reader, const struct member *member, struct mqtt_record *ret)
{
        void *to = (char *)ret + member->offset;

        switch ((enum form)member->form) {
        case FORM_BYTE:
                *(uint8_t *)to = read_byte(reader);
                break;
        case FORM_TWO:
                *(uint16_t *)to = (uint16_t)read_number(reader, UINT16_MAX);
                break;
        case FORM_FOUR:
                *(uint32_t *)to = (uint32_t)read_number(reader, UINT32_MAX);
                break;
        case FORM_EIGHT:
                *(uint64_t *)to = read_number(reader, UINT64_MAX);
                break;
        case FORM_TIME:
                *(uint64_t *)to = read_number(reader, UINT64_MAX) - 1;
                break;
        case FORM_FLAGS:
                read_flags(reader, ret);
                break;
        case FORM_OPTIONS:
                read_options(reader, to);
                break;
        case FORM_IDS:
                read_ids(reader, ret);
                break;
        case FORM_TEXT: {
                struct mqtt_text *text = to;
                uint32_t length;

                text->bytes = (const char *)read_bytes(reader, UINT16_MAX, &length);
                text->length = (uint16_t)length;
                break;
        }
        case FORM_PACKET: {
                struct mqtt_bytes *packet = to;

                packet->bytes = read_bytes(reader, UINT32_MAX, &packet->length);
                break;
        }
        case FORM_END:
                break;
        }
}

int mqtt_record_decode(const uint8_t *bytes, size_t count, size_t *at, struct mqtt_record *ret)
{
        struct reader reader = {bytes, count, *at, false};
        struct mqtt_record record = {0};
        const struct member *members;

        if (*at >= count)
                return MQTT_RECORD_END;
        record.change = read_byte(&reader);
        if (record.change == 0 || record.change >= MQTT_CHANGES)
                return -EBADMSG;
        members = table[record.change];
        for (size_t i = 0; i < MEMBERS_MAX && members[i].form != FORM_END; i++)
                read_member(&reader, &members[i], &record);
        if (reader.bad)
                return -EBADMSG;
        *at = reader.at;
        *ret = record;
        return MQTT_RECORD_FOUND;
}

uint32_t mqtt_record_next_id(const struct mqtt_record *record, size_t *at)
{
        struct reader reader = {record->ids_encoded.bytes, record->ids_encoded.length, *at, false};
        uint32_t id = (uint32_t)read_number(&reader, ID_MAX);

        *at = reader.at;
        return id;
}
