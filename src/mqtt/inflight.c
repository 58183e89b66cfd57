#include "mqtt/inflight.h"

#include <errno.h>
#include <stdlib.h>

enum {
        IDS = 65535, /* 1 to 65535 */
        CAPACITY_FIRST = 8,
        CAPACITY_KEPT = 16,
        CAPACITY_MAX = 32768, /* so that no identifier comes again while it is in use */
};

void mqtt_inflight_init(struct mqtt_inflight *inflight)
{
        *inflight = (struct mqtt_inflight){.next_id = 1};
}

static struct mqtt_delivery *place(const struct mqtt_inflight *inflight, uint32_t offset)
{
        return &inflight->places[(inflight->first + offset) & (inflight->capacity - 1)];
}

void mqtt_inflight_done(struct mqtt_inflight *inflight)
{
        for (uint32_t i = 0; i < inflight->span; i++)
                mqtt_delivery_done(place(inflight, i));
        free(inflight->places);
        mqtt_inflight_init(inflight);
}

static uint16_t next_id(uint16_t id)
{
        return id == IDS ? 1 : (uint16_t)(id + 1);
}

static int grow(struct mqtt_inflight *inflight)
{
        uint32_t capacity = inflight->capacity > 0 ? inflight->capacity * 2U : CAPACITY_FIRST;
        struct mqtt_delivery *places;

        if (capacity > CAPACITY_MAX)
                return -ENOSPC;
        places = malloc(capacity * sizeof(*places));
        if (!places)
                return -ENOMEM;
        for (uint32_t i = 0; i < inflight->span; i++)
                places[i] = *place(inflight, i);
        free(inflight->places);
        inflight->places = places;
        inflight->capacity = (uint16_t)capacity;
        inflight->first = 0;
        return 0;
}

int mqtt_inflight_add(struct mqtt_inflight *inflight, const struct mqtt_delivery *delivery,
                      uint16_t *ret_id)
{
        struct mqtt_delivery *added;
        int r;

        if (inflight->span == inflight->capacity) {
                r = grow(inflight);
                if (r < 0)
                        return r;
        }
        added = place(inflight, inflight->span);
        *added = *delivery;
        added->state = MQTT_DELIVERY_SENT;
        inflight->span++;
        inflight->count++;
        inflight->resumed = inflight->span;
        inflight->outstanding++;
        *ret_id = inflight->next_id;
        inflight->next_id = next_id(inflight->next_id);
        return 0;
}

bool mqtt_inflight_has_room(const struct mqtt_inflight *inflight)
{
        return inflight->resumed == inflight->span && inflight->span < CAPACITY_MAX;
}

void mqtt_inflight_skip(struct mqtt_inflight *inflight)
{
        if (inflight->span == 0)
                inflight->next_id = next_id(inflight->next_id);
}

size_t mqtt_inflight_bytes(const struct mqtt_inflight *inflight, size_t enough)
{
        size_t bytes = 0;

        for (uint32_t i = 0; i < inflight->resumed && bytes < enough; i++) {
                const struct mqtt_delivery *delivery = place(inflight, i);

                if (delivery->state == MQTT_DELIVERY_SENT || delivery->state == MQTT_DELIVERY_HELD)
                        bytes += mqtt_message_payload(delivery->message).length;
        }
        return bytes;
}

/* From 1, which the newest has; next_id itself comes out as 0. */
static uint32_t behind_next(const struct mqtt_inflight *inflight, uint16_t id)
{
        return (inflight->next_id + (uint32_t)IDS - id) % IDS;
}

uint32_t mqtt_inflight_newer(const struct mqtt_inflight *inflight, uint16_t id)
{
        return behind_next(inflight, id) - 1;
}

/* How far behind the oldest; beyond the span: not in flight. */
static uint32_t offset_of(const struct mqtt_inflight *inflight, uint16_t id)
{
        uint32_t behind = behind_next(inflight, id);

        if (id == 0 || behind == 0 || behind > inflight->span)
                return UINT32_MAX;
        return inflight->span - behind;
}

struct mqtt_delivery *mqtt_inflight_find(const struct mqtt_inflight *inflight, uint16_t id)
{
        uint32_t offset = offset_of(inflight, id);
        struct mqtt_delivery *delivery;

        if (offset == UINT32_MAX)
                return NULL;
        delivery = place(inflight, offset);
        return delivery->state != 0 ? delivery : NULL;
}

static void drop_gaps(struct mqtt_inflight *inflight)
{
        while (inflight->span > 0 && place(inflight, 0)->state == 0) {
                inflight->first = (uint16_t)((inflight->first + 1) & (inflight->capacity - 1));
                inflight->span--;
                if (inflight->resumed > 0)
                        inflight->resumed--;
        }
}

void mqtt_inflight_remove(struct mqtt_inflight *inflight, uint16_t id)
{
        uint32_t offset = offset_of(inflight, id);
        struct mqtt_delivery *delivery = place(inflight, offset);

        mqtt_delivery_done(delivery);
        delivery->state = 0;
        inflight->count--;
        if (offset < inflight->resumed)
                inflight->outstanding--;
        drop_gaps(inflight);
        if (inflight->span == 0 && inflight->capacity > CAPACITY_KEPT) {
                free(inflight->places);
                inflight->places = NULL;
                inflight->capacity = inflight->first = 0;
        }
}

void mqtt_inflight_suspend(struct mqtt_inflight *inflight)
{
        inflight->resumed = inflight->outstanding = 0;
}

/* The other way of offset_of(). */
static uint16_t id_at(const struct mqtt_inflight *inflight, uint32_t offset)
{
        uint32_t id = inflight->next_id + (uint32_t)IDS - (inflight->span - offset);

        return (uint16_t)((id - 1) % IDS + 1); /* from 1 to IDS */
}

struct mqtt_delivery *mqtt_inflight_resume(struct mqtt_inflight *inflight, uint16_t *ret_id)
{
        while (inflight->resumed < inflight->span) {
                uint32_t offset = inflight->resumed++;

                if (place(inflight, offset)->state == 0)
                        continue;
                inflight->outstanding++;
                *ret_id = id_at(inflight, offset);
                return place(inflight, offset);
        }
        return NULL;
}

struct mqtt_delivery *mqtt_inflight_next(const struct mqtt_inflight *inflight, uint32_t *at,
                                         uint16_t *ret_id)
{
        while (*at < inflight->span) {
                uint32_t offset = (*at)++;

                if (place(inflight, offset)->state == 0)
                        continue;
                *ret_id = id_at(inflight, offset);
                return place(inflight, offset);
        }
        return NULL;
}

/* An identifier that was acknowledged out of turn. */
static int add_gap(struct mqtt_inflight *inflight)
{
        int r = inflight->span == inflight->capacity ? grow(inflight) : 0;

        if (r < 0)
                return r;
        *place(inflight, inflight->span) = (struct mqtt_delivery){0};
        inflight->span++;
        inflight->next_id = next_id(inflight->next_id);
        return 0;
}

int mqtt_inflight_restore(struct mqtt_inflight *inflight, const struct mqtt_delivery *delivery,
                          uint16_t id)
{
        uint16_t added;
        int r = 0;

        if (id == 0)
                return -ERANGE;
        if (inflight->span == 0)
                inflight->next_id = id;
        if ((id + (uint32_t)IDS - inflight->next_id) % IDS + inflight->span >= CAPACITY_MAX)
                return -ERANGE;
        while (r == 0 && inflight->next_id != id)
                r = add_gap(inflight);
        if (r == 0)
                r = mqtt_inflight_add(inflight, delivery, &added);
        mqtt_inflight_suspend(inflight);
        return r;
}
