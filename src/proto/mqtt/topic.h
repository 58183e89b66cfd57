/* proto/mqtt/topic.h - topic names and filters, 4.7 of both standards.
 *
 * Pure. A text here is well-formed UTF-8 already. */
#pragma once

#include "proto/mqtt/packet.h"

enum { MQTT_TOPIC_LEVELS_MAX = 201 }; /* of a name or a filter; beyond: not valid */

/* A name: at least one character, no wildcard, no U+0000 ([MQTT-4.7.1-1],
 * [MQTT-4.7.3-1], [MQTT-4.7.3-2]). */
bool mqtt_topic_name_is_valid(struct mqtt_text name);
bool mqtt_topic_has_good_depth(struct mqtt_text topic); /* of a name or a filter */
/* A filter: at least one character, wildcards stand alone in their level, '#' in the last
 * ([MQTT-4.7.1-1] to [MQTT-4.7.1-3], [MQTT-4.7.3-1], [MQTT-4.7.3-2]). */
bool mqtt_topic_filter_is_well_formed(struct mqtt_text filter);
/* That, with no more levels than we take; of a shared one the share is named and such a
 * filter follows ([MQTT-4.8.2-1], [MQTT-4.8.2-2]). */
bool mqtt_topic_filter_is_valid(struct mqtt_text filter);

bool mqtt_topic_filter_has_wildcard(struct mqtt_text filter);

/* Of "$share/NAME/FILTER" the two; false: it is not shared. */
bool mqtt_topic_filter_split_shared(struct mqtt_text filter, struct mqtt_text *share,
                                    struct mqtt_text *rest);

/* Does the filter match the name? Both valid, the filter not shared. A wildcard in the
 * first level does not match a name that begins with '$' ([MQTT-4.7.2-1]). For one
 * pair; who has many filters walks a tree. */
bool mqtt_topic_matches(struct mqtt_text filter, struct mqtt_text name);

/* The next level of a name or filter; *at begins as 0. False: no more. */
bool mqtt_topic_level_next(struct mqtt_text topic, uint32_t *at, struct mqtt_text *ret);
