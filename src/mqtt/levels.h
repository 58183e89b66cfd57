/* mqtt/levels.h - the names of topic levels, each stored once and known by a number.
 *
 * "state" stands in the topics of all devices: what holds topics by level needs four bytes
 * for it, and compares numbers. Names are counted; short ones lie in their item.
 * Embedded in its owner. */
#pragma once

#include "base/siphash.h"
#include "mqtt/index.h"
#include "mqtt/pool.h"
#include "proto/mqtt/packet.h"

/* In place of a number: the wildcards, which are not stored. Numbers are smaller (pool.h). */
#define MQTT_LEVEL_PLUS UINT32_C(0x7fffffff)
#define MQTT_LEVEL_HASH UINT32_C(0x7ffffffe)

struct mqtt_levels {
        struct siphash_key key; /* for its owner's hashes too */
        struct mqtt_pool names;
        struct mqtt_index by_name;
};

int mqtt_levels_init(struct mqtt_levels *levels); /* -EIO: no random numbers */
void mqtt_levels_done(struct mqtt_levels *levels);

/* 0: nobody holds such a name. */
uint32_t mqtt_levels_find(const struct mqtt_levels *levels, struct mqtt_text name);
/* Holds a name, until it is dropped as often. -ENOMEM. */
int mqtt_levels_hold(struct mqtt_levels *levels, struct mqtt_text name, uint32_t *ret);
void mqtt_levels_drop(struct mqtt_levels *levels, uint32_t number);
/* Of a name that is held; valid until it is dropped. */
struct mqtt_text mqtt_levels_text(const struct mqtt_levels *levels, uint32_t number);
