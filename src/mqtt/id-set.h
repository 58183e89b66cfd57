/* mqtt/id-set.h - packet identifiers that are in use: of QoS 2 messages a client sent,
 * from their PUBLISH to their PUBREL.
 *
 * A table of two bytes an entry with open addressing, which grows with its content and
 * is given back when it is empty. Embedded in its owner. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt_id_set {
        uint16_t *places;  /* 0: free */
        uint32_t capacity; /* 0 or a power of two */
        uint32_t count;
};

void mqtt_id_set_init(struct mqtt_id_set *set);
void mqtt_id_set_done(struct mqtt_id_set *set);

bool mqtt_id_set_has(const struct mqtt_id_set *set, uint16_t id);
/* `id` is not 0 and not there yet. -ENOMEM. */
int mqtt_id_set_add(struct mqtt_id_set *set, uint16_t id);
/* Walks over them, *at begins as 0; 0: no more. No changes meanwhile. */
uint16_t mqtt_id_set_next(const struct mqtt_id_set *set, uint32_t *at);
bool mqtt_id_set_remove(struct mqtt_id_set *set, uint16_t id); /* false: was not there */
