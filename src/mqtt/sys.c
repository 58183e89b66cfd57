#include "mqtt/sys.h"

#include "base/attributes.h"
#include "mqtt/broker-internal.h"
#include "mqtt/route.h"
#include "proto/mqtt/topic.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
        REFRESH_MS = 1000, /* between two that subscriptions ask for */
        VALUE_SIZE = 64,
        TOPIC_SIZE = 64,
        AVERAGES = 3,
};

enum value {
        CLIENTS_TOTAL,
        CLIENTS_CONNECTED,
        CLIENTS_ACTIVE, /* its older name */
        CLIENTS_DISCONNECTED,
        CLIENTS_INACTIVE, /* its older name */
        CLIENTS_MAXIMUM,
        CLIENTS_EXPIRED,
        SUBSCRIPTIONS,
        RETAINED,
        STORED_MESSAGES,
        STORED_MESSAGES_OLD,
        STORED_BYTES,
        HEAP,
        HEAP_MAXIMUM,
        PACKETS_IN,
        PACKETS_OUT,
        BYTES_IN,
        BYTES_OUT,
        PUBLISH_IN,
        PUBLISH_OUT,
        PUBLISH_DROPPED,
        PUBLISH_BYTES_IN,
        PUBLISH_BYTES_OUT,
        CONNECTS,
        DROPPED, /* and as many as there are reasons */
        VALUES = DROPPED + MQTT_DROPPED_REASONS,
};

static const char *const names[DROPPED] = {
        [CLIENTS_TOTAL] = "clients/total",
        [CLIENTS_CONNECTED] = "clients/connected",
        [CLIENTS_ACTIVE] = "clients/active",
        [CLIENTS_DISCONNECTED] = "clients/disconnected",
        [CLIENTS_INACTIVE] = "clients/inactive",
        [CLIENTS_MAXIMUM] = "clients/maximum",
        [CLIENTS_EXPIRED] = "clients/expired",
        [SUBSCRIPTIONS] = "subscriptions/count",
        [RETAINED] = "retained messages/count",
        [STORED_MESSAGES] = "store/messages/count",
        [STORED_MESSAGES_OLD] = "messages/stored",
        [STORED_BYTES] = "store/messages/bytes",
        [HEAP] = "heap/current",
        [HEAP_MAXIMUM] = "heap/maximum",
        [PACKETS_IN] = "messages/received",
        [PACKETS_OUT] = "messages/sent",
        [BYTES_IN] = "bytes/received",
        [BYTES_OUT] = "bytes/sent",
        [PUBLISH_IN] = "publish/messages/received",
        [PUBLISH_OUT] = "publish/messages/sent",
        [PUBLISH_DROPPED] = "publish/messages/dropped",
        [PUBLISH_BYTES_IN] = "publish/bytes/received",
        [PUBLISH_BYTES_OUT] = "publish/bytes/sent",
        [CONNECTS] = "connections/accepted",
};

/* What is told as an average as well. */
static const struct {
        enum value value;
        const char *name;
} loads[] = {
        {PACKETS_IN, "load/messages/received"},
        {PACKETS_OUT, "load/messages/sent"},
        {PUBLISH_IN, "load/publish/received"},
        {PUBLISH_OUT, "load/publish/sent"},
        {PUBLISH_DROPPED, "load/publish/dropped"},
        {BYTES_IN, "load/bytes/received"},
        {BYTES_OUT, "load/bytes/sent"},
        {CONNECTS, "load/connections"},
};

static const struct {
        const char *name;
        double minutes;
} averages[AVERAGES] = {{"1min", 1}, {"5min", 5}, {"15min", 15}};

struct load {
        uint64_t before; /* the value, at the last refresh */
        double per_minute[AVERAGES];
        uint64_t told[AVERAGES]; /* in hundredths */
};

struct mqtt_sys {
        struct mqtt_broker *broker;
        struct loop_timer timer;
        uint64_t started_ms, refreshed_ms;
        uint64_t told_uptime_s;
        uint64_t told[VALUES];
        struct load loads[ARRAY_SIZE(loads)];
        bool begun; /* all has been told once */
};

static uint64_t dropped(const struct mqtt_broker_figures *figures)
{
        uint64_t sum = 0;

        for (unsigned i = 0; i < MQTT_DROPPED_REASONS; i++)
                sum += figures->counters[MQTT_DROPPED_FIRST + i];
        return sum;
}

static void gather(const struct mqtt_broker *broker, uint64_t values[VALUES])
{
        struct mqtt_broker_figures figures;
        const uint64_t *counters = figures.counters;

        mqtt_broker_figures(broker, &figures);
        values[CLIENTS_TOTAL] = figures.sessions;
        values[CLIENTS_CONNECTED] = values[CLIENTS_ACTIVE] = figures.clients;
        values[CLIENTS_DISCONNECTED] = figures.sessions - figures.clients;
        values[CLIENTS_INACTIVE] = values[CLIENTS_DISCONNECTED];
        values[CLIENTS_MAXIMUM] = figures.clients_most;
        values[CLIENTS_EXPIRED] = counters[MQTT_COUNT_SESSIONS_EXPIRED];
        values[SUBSCRIPTIONS] = figures.subscriptions;
        values[RETAINED] = figures.retained_messages;
        values[STORED_MESSAGES] = figures.retained_messages + figures.queued_messages;
        values[STORED_MESSAGES_OLD] = values[STORED_MESSAGES];
        values[STORED_BYTES] = figures.retained_bytes + figures.queued_bytes;
        values[HEAP] = figures.memory_bytes;
        values[HEAP_MAXIMUM] = figures.memory_most;
        values[PACKETS_IN] = counters[MQTT_COUNT_PACKETS_RECEIVED];
        values[PACKETS_OUT] = counters[MQTT_COUNT_PACKETS_SENT];
        values[BYTES_IN] = counters[MQTT_COUNT_BYTES_RECEIVED];
        values[BYTES_OUT] = counters[MQTT_COUNT_BYTES_SENT];
        values[PUBLISH_IN] = counters[MQTT_COUNT_RECEIVED];
        values[PUBLISH_OUT] = counters[MQTT_COUNT_DELIVERED];
        values[PUBLISH_DROPPED] = dropped(&figures);
        values[PUBLISH_BYTES_IN] = counters[MQTT_COUNT_PAYLOAD_RECEIVED];
        values[PUBLISH_BYTES_OUT] = counters[MQTT_COUNT_PAYLOAD_DELIVERED];
        values[CONNECTS] = counters[MQTT_COUNT_CONNECTS];
        for (unsigned i = 0; i < MQTT_DROPPED_REASONS; i++)
                values[DROPPED + i] = counters[MQTT_DROPPED_FIRST + i];
}

/* What cannot be retained for lack of room or memory is told the next time it has changed. */
static void tell(struct mqtt_sys *sys, const char *name, const char *value)
{
        char topic[TOPIC_SIZE];
        int length = snprintf(topic, sizeof(topic), "$SYS/broker/%s", name);
        struct mqtt_publish publish = {
                .topic = {topic, (uint16_t)length},
                .payload = {(const uint8_t *)value, (uint32_t)strlen(value)},
                .retain = true,
        };

        (void)mqtt_route(sys->broker, &publish, MQTT_ORIGIN_INSIDE, NULL);
}

static void tell_value(struct mqtt_sys *sys, enum value number, uint64_t value)
{
        char name[TOPIC_SIZE], text[VALUE_SIZE];

        if (sys->begun && sys->told[number] == value)
                return;
        sys->told[number] = value;
        snprintf(text, sizeof(text), "%" PRIu64, value);
        if (number < DROPPED) {
                tell(sys, names[number], text);
                return;
        }
        snprintf(name, sizeof(name), "publish/messages/dropped/%s",
                 mqtt_counter_name(MQTT_DROPPED_FIRST + (number - DROPPED)) + strlen("dropped_"));
        tell(sys, name, text);
}

/* After a pause, which may be long, what was between counts as spread evenly over it. */
static void tell_load(struct mqtt_sys *sys, size_t number, uint64_t value, double minutes)
{
        struct load *load = &sys->loads[number];
        double rate = minutes > 0 ? (double)(value - load->before) / minutes : 0;

        load->before = value;
        for (size_t i = 0; i < AVERAGES; i++) {
                double kept = exp(-minutes / averages[i].minutes);
                char name[TOPIC_SIZE], text[VALUE_SIZE];
                uint64_t hundredths;

                load->per_minute[i] = rate + kept * (load->per_minute[i] - rate);
                hundredths = (uint64_t)(load->per_minute[i] * 100 + 0.5);
                if (sys->begun && hundredths == load->told[i])
                        continue;
                load->told[i] = hundredths;
                snprintf(name, sizeof(name), "%s/%s", loads[number].name, averages[i].name);
                snprintf(text, sizeof(text), "%" PRIu64 ".%02u", hundredths / 100,
                         (unsigned)(hundredths % 100));
                tell(sys, name, text);
        }
}

static void refresh(struct mqtt_sys *sys, uint64_t now)
{
        double minutes = (double)(now - sys->refreshed_ms) / 60000;
        uint64_t uptime_s = (now - sys->started_ms) / 1000;
        uint64_t values[VALUES];
        char text[VALUE_SIZE];

        gather(sys->broker, values);
        if (!sys->begun)
                tell(sys, "version", "pifleet version " PIFLEET_VERSION);
        if (!sys->begun || uptime_s != sys->told_uptime_s) {
                sys->told_uptime_s = uptime_s;
                snprintf(text, sizeof(text), "%" PRIu64 " seconds", uptime_s);
                tell(sys, "uptime", text);
        }
        for (unsigned i = 0; i < VALUES; i++)
                tell_value(sys, (enum value)i, values[i]);
        for (size_t i = 0; i < ARRAY_SIZE(loads); i++)
                tell_load(sys, i, values[loads[i].value], minutes);
        sys->refreshed_ms = now;
        sys->begun = true;
}

static bool is_wanted(const struct mqtt_sys *sys)
{
        static const struct mqtt_text top = {"$SYS", 4};

        return mqtt_topic_tree_has_below(sys->broker->tree, top);
}

static void start(struct mqtt_sys *sys)
{
        loop_timer_start(&sys->timer, (uint64_t)sys->broker->limits.sys_interval_s * 1000);
}

static void sys_on_time(struct loop_timer *timer)
{
        struct mqtt_sys *sys = container_of(timer, struct mqtt_sys, timer);

        if (!is_wanted(sys))
                return;
        refresh(sys, loop_now_ms(sys->broker->loop));
        start(sys);
}

void mqtt_sys_note_filter(struct mqtt_sys *sys, const struct mqtt_text *filter)
{
        struct mqtt_text share, rest;
        uint64_t now;

        if (!sys || (!filter && (sys->timer.armed || !is_wanted(sys))))
                return;
        if (filter && !mqtt_sys_is(*filter) &&
            !(mqtt_topic_filter_split_shared(*filter, &share, &rest) && mqtt_sys_is(rest)))
                return;
        now = loop_now_ms(sys->broker->loop);
        if (!sys->begun || now - sys->refreshed_ms >= REFRESH_MS)
                refresh(sys, now);
        if (!sys->timer.armed)
                start(sys);
}

int mqtt_sys_new(struct mqtt_broker *broker, struct mqtt_sys **ret)
{
        struct mqtt_sys *sys;

        *ret = NULL;
        if (broker->limits.sys_interval_s == 0)
                return 0;
        sys = calloc(1, sizeof(*sys));
        if (!sys)
                return -ENOMEM;
        sys->broker = broker;
        sys->started_ms = sys->refreshed_ms = loop_now_ms(broker->loop);
        loop_timer_init(&sys->timer, broker->loop, sys_on_time);
        *ret = sys;
        return 0;
}

struct mqtt_sys *mqtt_sys_free(struct mqtt_sys *sys)
{
        if (!sys)
                return NULL;
        loop_timer_stop(&sys->timer);
        free(sys);
        return NULL;
}

bool mqtt_sys_is_ours(struct mqtt_text topic)
{
        static const struct mqtt_text bridges = {"$SYS/broker/connection/+/state", 30};

        return (mqtt_sys_is(topic) && !mqtt_topic_matches(bridges, topic)) ||
               (topic.length >= 7 && memcmp(topic.bytes, "$share/", 7) == 0);
}
