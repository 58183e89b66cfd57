#include "mqtt/audience.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct mqtt_audience *mqtt_audience_unref(struct mqtt_audience *audience)
{
        if (audience && --audience->references == 0)
                free(audience);
        return NULL;
}

size_t mqtt_audience_bytes(const struct mqtt_audience *audience)
{
        return sizeof(*audience) + audience->seats_count * sizeof(audience->seats[0]) +
               ((size_t)audience->shares_count + audience->ids_count) * sizeof(uint32_t) +
               audience->topic_length;
}

/* How much there will be. Each subscriber is given its place, counted from 1. */
static void count(const struct mqtt_nodes *nodes, const struct mqtt_reached *reached,
                  struct mqtt_audience *sizes, uint32_t *work)
{
        for (uint32_t i = 0; i < reached->count; i++) {
                const struct mqtt_node *node = mqtt_node_at(nodes, reached->nodes[i]);
                uint32_t members_count, share = node->below.shares;
                const uint32_t *members = mqtt_members_of(nodes, node, &members_count);

                for (uint32_t j = 0; j < members_count; j++) {
                        const struct mqtt_entry *entry = mqtt_entry_at(nodes, members[j]);

                        if (entry->subscriber->place == 0)
                                entry->subscriber->place = ++sizes->seats_count;
                        sizes->ids_count += entry->id > 0;
                }
                for (; share > 0; share = mqtt_node_at(nodes, share)->share.next)
                        sizes->shares_count++;
                *work += members_count;
        }
        *work += sizes->shares_count;
}

static void merge(struct mqtt_seat *seat, const struct mqtt_entry *entry)
{
        seat->subscriber = entry->subscriber;
        if (entry->qos > seat->qos)
                seat->qos = entry->qos;
        seat->retain_as_published |= entry->retain_as_published;
        seat->ids_count += entry->id > 0;
        if (entry->no_local)
                return;
        seat->takes_own = true;
        if (entry->qos > seat->own_qos)
                seat->own_qos = entry->qos;
        seat->own_retain_as_published |= entry->retain_as_published;
        seat->own_ids_count += entry->id > 0;
}

typedef void visit_fn(struct mqtt_audience *audience, const struct mqtt_entry *entry);

static void for_each_entry(const struct mqtt_nodes *nodes, const struct mqtt_reached *reached,
                           struct mqtt_audience *audience, visit_fn *visit)
{
        for (uint32_t i = 0; i < reached->count; i++) {
                uint32_t members_count;
                const uint32_t *members = mqtt_members_of(
                        nodes, mqtt_node_at(nodes, reached->nodes[i]), &members_count);

                for (uint32_t j = 0; j < members_count; j++)
                        visit(audience, mqtt_entry_at(nodes, members[j]));
        }
}

static void seat(struct mqtt_audience *audience, const struct mqtt_entry *entry)
{
        merge(&audience->seats[entry->subscriber->place - 1], entry);
}

static void put_id(struct mqtt_audience *audience, const struct mqtt_entry *entry)
{
        if (entry->id > 0)
                audience->ids[audience->seats[entry->subscriber->place - 1].ids_at++] = entry->id;
}

static void put_own_id(struct mqtt_audience *audience, const struct mqtt_entry *entry)
{
        if (!entry->no_local)
                put_id(audience, entry);
}

static void put_other_id(struct mqtt_audience *audience, const struct mqtt_entry *entry)
{
        if (entry->no_local)
                put_id(audience, entry);
}

/* Each seat's identifiers stand together; ids_at moves on while they are put there. */
static void fill_ids(const struct mqtt_nodes *nodes, const struct mqtt_reached *reached,
                     struct mqtt_audience *audience)
{
        uint32_t at = 0;

        for (uint32_t i = 0; i < audience->seats_count; i++) {
                audience->seats[i].ids_at = at;
                at += audience->seats[i].ids_count;
        }
        for_each_entry(nodes, reached, audience, put_own_id);
        for_each_entry(nodes, reached, audience, put_other_id);
        for (uint32_t i = 0; i < audience->seats_count; i++)
                audience->seats[i].ids_at -= audience->seats[i].ids_count;
}

static void fill_shares(const struct mqtt_nodes *nodes, const struct mqtt_reached *reached,
                        struct mqtt_audience *audience)
{
        uint32_t *at = audience->shares;

        for (uint32_t i = 0; i < reached->count; i++) {
                uint32_t share = mqtt_node_at(nodes, reached->nodes[i])->below.shares;

                for (; share > 0; share = mqtt_node_at(nodes, share)->share.next)
                        *at++ = share;
        }
}

static void forget_places(const struct mqtt_nodes *nodes, const struct mqtt_reached *reached)
{
        for (uint32_t i = 0; i < reached->count; i++) {
                uint32_t members_count;
                const uint32_t *members = mqtt_members_of(
                        nodes, mqtt_node_at(nodes, reached->nodes[i]), &members_count);

                for (uint32_t j = 0; j < members_count; j++)
                        mqtt_entry_at(nodes, members[j])->subscriber->place = 0;
        }
}

int mqtt_audience_new(const struct mqtt_nodes *nodes, const struct mqtt_reached *reached,
                      struct mqtt_text topic, uint32_t *work, struct mqtt_audience **ret)
{
        struct mqtt_audience sizes = {.references = 1, .topic_length = topic.length};
        struct mqtt_audience *audience;

        count(nodes, reached, &sizes, work);
        audience = calloc(1, mqtt_audience_bytes(&sizes));
        if (!audience) {
                forget_places(nodes, reached);
                return -ENOMEM;
        }
        *audience = sizes;
        audience->shares = (uint32_t *)(audience->seats + sizes.seats_count);
        audience->ids = audience->shares + sizes.shares_count;
        audience->topic = (char *)(audience->ids + sizes.ids_count);
        memcpy(audience->topic, topic.bytes, topic.length);
        for_each_entry(nodes, reached, audience, seat);
        if (sizes.ids_count > 0)
                fill_ids(nodes, reached, audience);
        if (sizes.shares_count > 0)
                fill_shares(nodes, reached, audience);
        for (uint32_t i = 0; i < sizes.seats_count; i++)
                audience->seats[i].subscriber->place = 0;
        *ret = audience;
        return 0;
}
