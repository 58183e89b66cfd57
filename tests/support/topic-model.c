#include "support/topic-model.h"

#include "fuzz/fuzz.h"
#include "mqtt/retained.h"
#include "mqtt/topic-tree.h"

#include <errno.h>
#include <string.h>

enum {
        SUBSCRIBERS = 6,
        ENTRIES_MAX = 64,
        NAMES_MAX = 48,
        CURSORS = 3,
        SETS_MAX = 2048,
        TOPIC_MAX = 256,
};

struct topic {
        char bytes[TOPIC_MAX];
        uint16_t length;
};

struct entry {
        unsigned subscriber;
        struct topic filter;
        struct mqtt_subscription_options options;
};

/* A retained message. */
struct name {
        struct topic topic;
        unsigned set; /* the how manieth */
        uint64_t expires_ms;
};

struct walk {
        struct mqtt_retained_cursor *cursor; /* NULL: none */
        struct topic filter;
        unsigned start;
        bool told[SETS_MAX];
};

struct model {
        const uint8_t *bytes;
        size_t count;
        struct mqtt_topic_tree *tree;
        struct mqtt_retained *retained;
        struct mqtt_subscriber *subscribers[SUBSCRIBERS]; /* of their own, so that ASan sees */
        unsigned generation[SUBSCRIBERS];                 /* how often it went */
        struct entry entries[ENTRIES_MAX];
        unsigned entries_count;
        struct name names[NAMES_MAX];
        unsigned names_count, sets;
        uint64_t now_ms;
        struct walk walks[CURSORS];
        unsigned depth; /* of matches */
};

static unsigned next(struct model *model, unsigned below)
{
        if (model->count == 0)
                return 0;
        model->count--;
        return *model->bytes++ % below;
}

static struct mqtt_text text(const struct topic *topic)
{
        return (struct mqtt_text){topic->bytes, topic->length};
}

static bool equal(const struct topic *a, const struct topic *b)
{
        return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void append(struct topic *topic, const char *bytes)
{
        size_t length = strlen(bytes);

        MUST(topic->length + length <= sizeof(topic->bytes));
        memcpy(topic->bytes + topic->length, bytes, length);
        topic->length = (uint16_t)(topic->length + length);
}

enum kind { NAME, FILTER, PLAIN_FILTER };

static struct topic next_topic(struct model *model, enum kind kind)
{
        static const char *const levels[] = {
                "a", "b", "c", "a", "b", "", "$s", "a-level-of-more-than-sixteen-bytes",
                "+", "+", "#",
        };
        unsigned most = kind == NAME ? 8 : 11, count = 1 + next(model, 5);
        struct topic topic = {.length = 0};
        uint16_t begin;

        if (kind == FILTER && next(model, 6) == 0)
                append(&topic, next(model, 2) ? "$share/g/" : "$share/a/");
        begin = topic.length;
        for (unsigned i = 0; i < count; i++) {
                unsigned level = next(model, most);

                if (i > 0)
                        append(&topic, "/");
                append(&topic, levels[level]);
                if (level == 10)
                        break;
        }
        if (topic.length == begin)
                append(&topic, "a");
        return topic;
}

static bool is_shared(const struct topic *filter)
{
        struct mqtt_text share, rest;

        return mqtt_topic_filter_split_shared(text(filter), &share, &rest);
}

static bool matches(const struct topic *filter, const struct topic *topic)
{
        struct mqtt_text share, rest = text(filter);

        (void)mqtt_topic_filter_split_shared(rest, &share, &rest);
        return mqtt_topic_matches(rest, text(topic));
}

/* Subscriptions. */

static struct entry *find_entry(struct model *model, unsigned subscriber,
                                const struct topic *filter)
{
        for (unsigned i = 0; i < model->entries_count; i++)
                if (model->entries[i].subscriber == subscriber &&
                    equal(&model->entries[i].filter, filter))
                        return &model->entries[i];
        return NULL;
}

static void subscribe(struct model *model)
{
        unsigned subscriber = next(model, SUBSCRIBERS), bits = next(model, 256);
        struct topic filter = next_topic(model, FILTER);
        struct entry *entry = find_entry(model, subscriber, &filter);
        struct mqtt_subscription_options options = {
                .id = next(model, 4),
                .qos = bits % 3,
                .no_local = bits & 64 && !is_shared(&filter),
                .retain_as_published = bits & 128,
        };
        int r;

        MUST(mqtt_topic_filter_is_valid(text(&filter)));
        r = mqtt_topic_tree_subscribe(model->tree, model->subscribers[subscriber], text(&filter),
                                      &options);
        if (!entry && model->entries_count == ENTRIES_MAX) {
                MUST(r == -ENOSPC);
                return;
        }
        MUST(r == (entry ? MQTT_SUBSCRIBED_AGAIN : MQTT_SUBSCRIBED));
        if (!entry)
                entry = &model->entries[model->entries_count++];
        *entry = (struct entry){subscriber, filter, options};
}

static void drop_entry(struct model *model, struct entry *entry)
{
        *entry = model->entries[--model->entries_count];
}

static void unsubscribe(struct model *model)
{
        unsigned subscriber = next(model, SUBSCRIBERS);
        struct topic filter = next_topic(model, FILTER);
        struct entry *entry;
        int r;

        /* Mostly one that is there. */
        if (model->entries_count > 0 && next(model, 4) > 0) {
                entry = &model->entries[next(model, model->entries_count)];
                subscriber = entry->subscriber;
                filter = entry->filter;
        }
        entry = find_entry(model, subscriber, &filter);
        r = mqtt_topic_tree_unsubscribe(model->tree, model->subscribers[subscriber], text(&filter));
        MUST(r == (entry ? 0 : -ENOENT));
        if (entry)
                drop_entry(model, entry);
}

static void check_list(struct model *model, unsigned subscriber)
{
        struct mqtt_subscription_options options;
        char filter[MQTT_TEXT_MAX];
        uint32_t at = 0, count = 0;
        uint16_t length;

        while ((length = mqtt_topic_tree_next(model->tree, model->subscribers[subscriber], &at,
                                              filter, &options)) > 0) {
                struct topic topic = {.length = length};
                struct entry *entry;

                MUST(length <= TOPIC_MAX);
                memcpy(topic.bytes, filter, length);
                entry = find_entry(model, subscriber, &topic);
                MUST(entry && entry->options.id == options.id && entry->options.qos == options.qos);
                count++;
        }
        for (unsigned i = 0; i < model->entries_count; i++)
                count -= model->entries[i].subscriber == subscriber;
        MUST(count == 0);
}

static struct mqtt_subscriber *subscriber_new(void)
{
        struct mqtt_subscriber *subscriber = malloc(sizeof(*subscriber));

        MUST(subscriber);
        mqtt_subscriber_init(subscriber);
        return subscriber;
}

static void go(struct model *model, unsigned subscriber)
{
        check_list(model, subscriber);
        mqtt_topic_tree_remove(model->tree, model->subscribers[subscriber]);
        free(model->subscribers[subscriber]);
        model->subscribers[subscriber] = subscriber_new();
        model->generation[subscriber]++;
        for (unsigned i = 0; i < model->entries_count;)
                if (model->entries[i].subscriber == subscriber)
                        drop_entry(model, &model->entries[i]);
                else
                        i++;
}

/* Publishing. */

static unsigned number_of(const struct model *model, const struct mqtt_subscriber *subscriber)
{
        for (unsigned i = 0; i < SUBSCRIBERS; i++)
                if (model->subscribers[i] == subscriber)
                        return i;
        MUST(!"one that is there");
        return 0;
}

static bool count_id(const struct mqtt_receiver *receiver, uint32_t id, unsigned expected)
{
        for (uint32_t i = 0; i < receiver->ids_count; i++)
                expected -= receiver->ids[i] == id;
        return expected == 0;
}

/* What the list says that a subscriber gets. False: nothing. */
static bool expect(const struct model *model, unsigned subscriber, unsigned publisher,
                   const struct topic *topic, const struct mqtt_receiver *got)
{
        unsigned ids[4] = {0}, qos = 0, count = 0, ids_count = 0;
        bool retain_as_published = false;

        for (unsigned i = 0; i < model->entries_count; i++) {
                const struct entry *entry = &model->entries[i];

                if (entry->subscriber != subscriber || is_shared(&entry->filter) ||
                    !matches(&entry->filter, topic) ||
                    (entry->options.no_local && subscriber == publisher))
                        continue;
                count++;
                qos = entry->options.qos > qos ? entry->options.qos : qos;
                ids[entry->options.id]++;
                ids_count += entry->options.id > 0;
                retain_as_published |= entry->options.retain_as_published;
        }
        if (!got)
                return count > 0;
        MUST(count > 0 && got->qos == qos && got->ids_count == ids_count);
        MUST(got->retain_as_published == retain_as_published);
        for (uint32_t id = 1; id < 4; id++)
                MUST(count_id(got, id, ids[id]));
        return true;
}

/* The subscription that chose it: of a share that matches. */
static void check_shared(const struct model *model, const struct topic *topic,
                         const struct mqtt_receiver *got)
{
        unsigned subscriber = number_of(model, got->subscriber);

        for (unsigned i = 0; i < model->entries_count; i++) {
                const struct entry *entry = &model->entries[i];

                if (entry->subscriber == subscriber && is_shared(&entry->filter) &&
                    matches(&entry->filter, topic) && entry->options.qos == got->qos &&
                    got->ids_count == (entry->options.id > 0) &&
                    (got->ids_count == 0 || got->ids[0] == entry->options.id))
                        return;
        }
        MUST(!"a member of a share");
}

static unsigned count_shares(const struct model *model, const struct topic *topic)
{
        unsigned count = 0;

        for (unsigned i = 0; i < model->entries_count; i++) {
                const struct topic *filter = &model->entries[i].filter;
                bool first = is_shared(filter) && matches(filter, topic);

                for (unsigned j = 0; first && j < i; j++)
                        first = !equal(&model->entries[j].filter, filter);
                count += first;
        }
        return count;
}

static void publish(struct model *model)
{
        struct topic topic = next_topic(model, NAME);
        unsigned publisher = next(model, SUBSCRIBERS + 1), shares = 0;
        bool seen[SUBSCRIBERS] = {0};
        struct mqtt_receiver receiver;
        struct mqtt_match match;

        MUST(mqtt_match_begin(&match, model->tree, text(&topic),
                              publisher < SUBSCRIBERS ? model->subscribers[publisher] : NULL) == 0);
        while (mqtt_match_next(&match, &receiver)) {
                unsigned subscriber = number_of(model, receiver.subscriber);

                if (receiver.shared) {
                        check_shared(model, &topic, &receiver);
                        shares++;
                } else {
                        MUST(!seen[subscriber]);
                        seen[subscriber] = true;
                        expect(model, subscriber, publisher, &topic, &receiver);
                }
        }
        mqtt_match_end(&match);
        for (unsigned i = 0; i < SUBSCRIBERS; i++)
                MUST(seen[i] == expect(model, i, publisher, &topic, NULL));
        MUST(shares == count_shares(model, &topic));
}

static void step(struct model *model);

/* Who is named is there, and was so all the time. */
static void publish_with_interruptions(struct model *model)
{
        struct topic topic = next_topic(model, NAME);
        unsigned generation[SUBSCRIBERS];
        struct mqtt_receiver receiver;
        struct mqtt_match match;

        if (model->depth > 3)
                return;
        model->depth++;
        memcpy(generation, model->generation, sizeof(generation));
        MUST(mqtt_match_begin(&match, model->tree, text(&topic), NULL) == 0);
        do {
                for (unsigned i = next(model, 3); i > 0; i--)
                        step(model);
                if (!mqtt_match_next(&match, &receiver))
                        break;
                if (receiver.shared)
                        check_shared(model, &topic, &receiver);
                else
                        MUST(generation[number_of(model, receiver.subscriber)] ==
                             model->generation[number_of(model, receiver.subscriber)]);
        } while (true);
        mqtt_match_end(&match);
        model->depth--;
}

/* Retained messages. */

static struct name *find_name(struct model *model, const struct topic *topic)
{
        for (unsigned i = 0; i < model->names_count; i++)
                if (equal(&model->names[i].topic, topic))
                        return &model->names[i];
        return NULL;
}

static void drop_name(struct model *model, struct name *name)
{
        *name = model->names[--model->names_count];
}

/* The payload is the number of the set. */
static void retain(struct model *model)
{
        const struct mqtt_source source = {.version = MQTT_VERSION_5, .now_ms = model->now_ms};
        unsigned expiry_s = next(model, 2) ? next(model, 8) : 0;
        struct topic topic = next_topic(model, NAME);
        struct name *name = find_name(model, &topic);
        struct mqtt_publish publish = {
                .topic = text(&topic),
                .payload = {(const uint8_t *)&model->sets, sizeof(model->sets)},
                .properties = {.present = expiry_s > 0 ? mqtt_property_bit(MQTT_MESSAGE_EXPIRY) : 0,
                               .message_expiry_s = expiry_s},
        };
        struct mqtt_message *message;
        int r;

        if (model->sets == SETS_MAX)
                return;
        MUST(mqtt_message_new(&publish, &source, &message) == 0);
        r = mqtt_retained_set(model->retained, message);
        if (!name && model->names_count == NAMES_MAX) {
                MUST(r == -ENOSPC);
        } else {
                MUST(r == 0);
                if (!name)
                        name = &model->names[model->names_count++];
                *name = (struct name){topic, model->sets++, message->expires_ms};
        }
        mqtt_message_unref(message);
}

static void clear(struct model *model)
{
        struct topic topic = next_topic(model, NAME);
        struct name *name;

        if (model->names_count > 0 && next(model, 4) > 0)
                topic = model->names[next(model, model->names_count)].topic;
        name = find_name(model, &topic);
        MUST(mqtt_retained_clear(model->retained, text(&topic)) == (name != NULL));
        if (name)
                drop_name(model, name);
}

static void end_walk(struct model *model, struct walk *walk)
{
        for (unsigned i = 0; i < model->names_count; i++) {
                const struct name *name = &model->names[i];

                if (name->set < walk->start && matches(&walk->filter, &name->topic) &&
                    name->expires_ms > model->now_ms)
                        MUST(walk->told[name->set]);
        }
        walk->cursor = mqtt_retained_cursor_free(walk->cursor);
}

static void tell(struct model *model, struct walk *walk, const struct mqtt_message *message)
{
        struct mqtt_text topic = mqtt_message_topic(message);
        struct topic told = {.length = topic.length};
        struct name *name;
        unsigned set;

        memcpy(told.bytes, topic.bytes, topic.length);
        name = find_name(model, &told);
        memcpy(&set, mqtt_message_payload(message).bytes, sizeof(set));
        MUST(name && name->set == set && set < walk->start && !walk->told[set]);
        MUST(matches(&walk->filter, &told) && name->expires_ms > model->now_ms);
        MUST(mqtt_retained_get(model->retained, topic, model->now_ms) == message);
        walk->told[set] = true;
}

static void go_on(struct model *model, struct walk *walk, uint32_t steps)
{
        struct mqtt_message *message;
        int r;

        while ((r = mqtt_retained_cursor_next(walk->cursor, model->now_ms, &steps, &message)) ==
               MQTT_RETAINED_FOUND)
                tell(model, walk, message);
        if (r == MQTT_RETAINED_END)
                end_walk(model, walk);
        else
                MUST(r == MQTT_RETAINED_PAUSE && steps == 0);
}

static void walk(struct model *model)
{
        struct walk *walk = &model->walks[next(model, CURSORS)];

        if (walk->cursor) {
                go_on(model, walk, next(model, 12));
                return;
        }
        memset(walk, 0, sizeof(*walk));
        walk->filter = next_topic(model, PLAIN_FILTER);
        walk->start = model->sets;
        MUST(mqtt_retained_cursor_new(model->retained, text(&walk->filter), &walk->cursor) == 0);
}

/* Some are forgotten, then all that are due. */
static void wait(struct model *model)
{
        unsigned most = next(model, 4), due = 0;
        uint64_t first = UINT64_MAX;

        model->now_ms += next(model, 256) * 10;
        for (unsigned i = 0; i < model->names_count; i++)
                due += model->names[i].expires_ms <= model->now_ms;
        (void)mqtt_retained_expire(model->retained, model->now_ms, most);
        MUST(mqtt_retained_count(model->retained) ==
             model->names_count - (due < most ? due : most));
        for (unsigned i = 0; i < model->names_count;)
                if (model->names[i].expires_ms <= model->now_ms)
                        drop_name(model, &model->names[i]);
                else
                        i++;
        for (unsigned i = 0; i < model->names_count; i++)
                if (model->names[i].expires_ms < first)
                        first = model->names[i].expires_ms;
        MUST(mqtt_retained_expire(model->retained, model->now_ms, UINT32_MAX) == first);
        MUST(mqtt_retained_count(model->retained) == model->names_count);
}

static void step(struct model *model)
{
        switch (next(model, 16)) {
        case 0:
        case 1:
        case 2:
        case 3:
                subscribe(model);
                break;
        case 4:
        case 5:
                unsubscribe(model);
                break;
        case 6:
                go(model, next(model, SUBSCRIBERS));
                break;
        case 7:
        case 8:
        case 9:
                publish(model);
                break;
        case 10:
                publish_with_interruptions(model);
                break;
        case 11:
        case 12:
                retain(model);
                break;
        case 13:
                clear(model);
                break;
        case 14:
                walk(model);
                break;
        case 15:
                wait(model);
                break;
        }
        MUST(mqtt_topic_tree_count(model->tree) == model->entries_count);
}

void topic_model_run(const uint8_t *bytes, size_t count)
{
        struct model *model = calloc(1, sizeof(*model));
        struct mqtt_topic_tree_config config = {.subscriptions = ENTRIES_MAX};

        MUST(model);
        model->bytes = bytes;
        model->count = count;
        /* A cache with room for some, or none. */
        config.cache_bytes = next(model, 2) * 8192;
        MUST(mqtt_topic_tree_new(&config, &model->tree) == 0);
        MUST(mqtt_retained_new(NAMES_MAX, 1 << 20, &model->retained) == 0);
        for (unsigned i = 0; i < SUBSCRIBERS; i++)
                model->subscribers[i] = subscriber_new();
        while (model->count > 0)
                step(model);
        for (unsigned i = 0; i < CURSORS; i++)
                if (model->walks[i].cursor)
                        go_on(model, &model->walks[i], UINT32_MAX);
        for (unsigned i = 0; i < SUBSCRIBERS; i++) {
                go(model, i);
                free(model->subscribers[i]);
        }
        MUST(mqtt_topic_tree_count(model->tree) == 0);
        mqtt_topic_tree_free(model->tree);
        mqtt_retained_free(model->retained);
        free(model);
}
