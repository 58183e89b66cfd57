#include "agent/gate/repeats.h"

#include "base/siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
        uint64_t sum; /* 0: free */
        uint64_t came_ms;
        char *reply; /* NULL: none */
        size_t reply_length;
};

struct gate_repeats {
        struct siphash_key key;
        size_t next; /* the oldest, once all are in use */
        struct entry entries[GATE_REPEATS_MAX];
};

int gate_repeats_new(struct gate_repeats **ret)
{
        struct gate_repeats *repeats = calloc(1, sizeof(*repeats));
        int r;

        if (!repeats)
                return -ENOMEM;
        r = siphash_key_draw(&repeats->key);
        if (r < 0) {
                free(repeats);
                return r;
        }
        *ret = repeats;
        return 0;
}

static void entry_clear(struct entry *entry)
{
        free(entry->reply);
        *entry = (struct entry){.sum = 0};
}

struct gate_repeats *gate_repeats_free(struct gate_repeats *repeats)
{
        if (!repeats)
                return NULL;
        for (size_t i = 0; i < GATE_REPEATS_MAX; i++)
                entry_clear(&repeats->entries[i]);
        free(repeats);
        return NULL;
}

/* Each part by itself first, so that nothing moves from one into the next. */
static uint64_t add(const struct gate_repeats *repeats, uint64_t sum, const void *bytes,
                    size_t count)
{
        return siphash_number(&repeats->key, sum + siphash(&repeats->key, bytes, count));
}

/* Never 0. */
static uint64_t sum_of(const struct gate_repeats *repeats, struct mqtt_text client_id,
                       const struct command_principal *principal,
                       const struct mqtt_publish *publish)
{
        const struct mqtt_properties *properties = &publish->properties;
        uint64_t sum = publish->packet_id;

        sum = add(repeats, sum, client_id.bytes, client_id.length);
        sum = add(repeats, sum, principal->name, strlen(principal->name));
        sum = add(repeats, sum, publish->topic.bytes, publish->topic.length);
        sum = add(repeats, sum, publish->payload.bytes, publish->payload.length);
        if (properties->present & mqtt_property_bit(MQTT_RESPONSE_TOPIC))
                sum = add(repeats, sum, properties->response_topic.bytes,
                          properties->response_topic.length);
        if (properties->present & mqtt_property_bit(MQTT_CORRELATION_DATA))
                sum = add(repeats, sum, properties->correlation_data.bytes,
                          properties->correlation_data.length);
        return sum != 0 ? sum : 1;
}

/* The newest of that sum; GATE_REPEATS_MAX: there is none. Only for what says it is a repeat. */
static size_t find(const struct gate_repeats *repeats, uint64_t sum, uint64_t now_ms)
{
        for (size_t i = 1; i <= GATE_REPEATS_MAX; i++) {
                size_t slot = (repeats->next + GATE_REPEATS_MAX - i) % GATE_REPEATS_MAX;
                const struct entry *entry = &repeats->entries[slot];

                if (entry->sum == sum && now_ms - entry->came_ms <= GATE_REPEATS_MS)
                        return slot;
        }
        return GATE_REPEATS_MAX;
}

bool gate_repeats_meet(struct gate_repeats *repeats, struct mqtt_text client_id,
                       const struct command_principal *principal,
                       const struct mqtt_publish *publish, uint64_t now_ms,
                       struct gate_repeats_place *ret)
{
        uint64_t sum = sum_of(repeats, client_id, principal, publish);
        size_t slot = publish->duplicate ? find(repeats, sum, now_ms) : GATE_REPEATS_MAX;
        bool known = slot < GATE_REPEATS_MAX;

        if (!known) {
                slot = repeats->next;
                repeats->next = (slot + 1) % GATE_REPEATS_MAX;
                entry_clear(&repeats->entries[slot]);
                repeats->entries[slot].sum = sum;
                repeats->entries[slot].came_ms = now_ms;
        }
        *ret = (struct gate_repeats_place){sum, slot};
        return known;
}

/* Another request may have its slot by now. */
static const struct entry *entry_at(const struct gate_repeats *repeats,
                                    const struct gate_repeats_place *place)
{
        const struct entry *entry = &repeats->entries[place->slot];

        return place->sum != 0 && entry->sum == place->sum ? entry : NULL;
}

void gate_repeats_keep_reply(struct gate_repeats *repeats, const struct gate_repeats_place *place,
                             const char *json, size_t length)
{
        struct entry *entry = &repeats->entries[place->slot];

        if (!entry_at(repeats, place) || length == 0 || length > GATE_REPEATS_REPLY_MAX)
                return;
        free(entry->reply);
        entry->reply = malloc(length);
        if (!entry->reply)
                return;
        memcpy(entry->reply, json, length);
        entry->reply_length = length;
}

const char *gate_repeats_reply(const struct gate_repeats *repeats,
                               const struct gate_repeats_place *place, size_t *ret_length)
{
        const struct entry *entry = entry_at(repeats, place);

        if (!entry || !entry->reply)
                return NULL;
        *ret_length = entry->reply_length;
        return entry->reply;
}
