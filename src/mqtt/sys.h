/* mqtt/sys.h - a broker's figures as retained messages below "$SYS/broker/", by the names that
 * mosquitto gave them, so that dashboards find them.
 *
 * They are brought up to date when somebody subscribes to some of them, at most once a second,
 * and every limits.sys_interval_s as long as there are such subscriptions; nothing wakes us up
 * else. Only what has changed is published, with QoS 0. Loads are averages that fade, per
 * minute. Inside of mqtt/ only. */
#pragma once

#include "mqtt/broker.h"

#include <string.h>

struct mqtt_sys;

/* NULL in *ret: limits.sys_interval_s is 0, and there is nothing below "$SYS". -ENOMEM. */
int mqtt_sys_new(struct mqtt_broker *broker, struct mqtt_sys **ret);
struct mqtt_sys *mqtt_sys_free(struct mqtt_sys *sys); /* NULL is fine */

/* Somebody is about to subscribe to this filter; or NULL: sessions are there that may have. */
void mqtt_sys_note_filter(struct mqtt_sys *sys, const struct mqtt_text *filter);

/* Is it "$SYS" or below? */
static inline bool mqtt_sys_is(struct mqtt_text topic)
{
        return topic.length >= 4 && memcmp(topic.bytes, "$SYS", 4) == 0 &&
               (topic.length == 4 || topic.bytes[4] == '/');
}
/* May no client publish there (4.7.2), nor leave a will? "$SYS" and "$share/" are the program's,
 * but for what mosquitto's bridges tell of themselves. */
bool mqtt_sys_is_ours(struct mqtt_text topic);
