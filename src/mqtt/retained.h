/* mqtt/retained.h - the last message of each topic that was published with RETAIN, 3.3.1.3.
 *
 * A tree of topic levels. Those that match a filter are walked over in slices by a cursor,
 * which survives any change in between. Bounds: names; bytes of messages, as
 * mqtt_message_size() counts them, and of the tree. One thread. */
#pragma once

#include "mqtt/message.h"

struct mqtt_retained;

int mqtt_retained_new(uint32_t names, size_t bytes,
                      struct mqtt_retained **ret); /* -ENOMEM; -EIO: no random seed */
/* Without cursors. */
struct mqtt_retained *mqtt_retained_free(struct mqtt_retained *retained);
DEFINE_CLEANUP(mqtt_retained)

/* Keeps a reference in place of what the topic had ([MQTT-3.3.1-5]); one without payload
 * clears it ([MQTT-3.3.1-6], [MQTT-3.3.1-7]). -ENOSPC: the bounds, what was there stays;
 * -ENOMEM. */
int mqtt_retained_set(struct mqtt_retained *retained, struct mqtt_message *message);
bool mqtt_retained_clear(struct mqtt_retained *retained, struct mqtt_text topic); /* was there? */
/* NULL: none, or expired. Not a reference. */
struct mqtt_message *mqtt_retained_get(const struct mqtt_retained *retained, struct mqtt_text topic,
                                       uint64_t now_ms);

uint32_t mqtt_retained_count(const struct mqtt_retained *retained);
size_t mqtt_retained_bytes(const struct mqtt_retained *retained);
size_t mqtt_retained_tree_bytes(const struct mqtt_retained *retained); /* of those */

/* Forgets up to `most` that have expired by now. When the next does: UINT64_MAX: none; not
 * after `now_ms`: there are more to be forgotten. */
uint64_t mqtt_retained_expire(struct mqtt_retained *retained, uint64_t now_ms, uint32_t most);

/* Is told of each change, before what was there goes: `before`, `message`: NULL: none. Not of
 * mqtt_retained_free(). NULL: nobody is told. */
typedef void mqtt_retained_fn(void *owner, struct mqtt_message *before,
                              struct mqtt_message *message);
void mqtt_retained_watch(struct mqtt_retained *retained, mqtt_retained_fn *on_change, void *owner);

/* Walks over all; *at begins as 0. NULL: no more. Between two steps anything may change: what was
 * there all the time is found. */
struct mqtt_message *mqtt_retained_next(const struct mqtt_retained *retained, uint32_t *at);

/* Walks over what matches a filter. What is set after its start is left out: who subscribed
 * before that got it when it was published. */
struct mqtt_retained_cursor;

/* `filter` is valid and not shared. -ENOMEM. */
int mqtt_retained_cursor_new(struct mqtt_retained *retained, struct mqtt_text filter,
                             struct mqtt_retained_cursor **ret);
struct mqtt_retained_cursor *mqtt_retained_cursor_free(struct mqtt_retained_cursor *cursor);
DEFINE_CLEANUP(mqtt_retained_cursor)

enum { MQTT_RETAINED_END = 0, MQTT_RETAINED_FOUND = 1, MQTT_RETAINED_PAUSE = 2 };
/* FOUND: *ret is a message that has not expired, not a reference. PAUSE: *steps, which
 * counts down the names that were looked at, has come to 0: go on in another round. */
int mqtt_retained_cursor_next(struct mqtt_retained_cursor *cursor, uint64_t now_ms, uint32_t *steps,
                              struct mqtt_message **ret);
