#include "bench/mqtt/hoard.h"

#include "bench/mqtt/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SILENCE_MAX_MS = 3000, TOPIC_SIZE = 64, PAYLOAD = 64 };

struct hoard {
        struct links links;
        struct link link;
        unsigned topics;
        unsigned acknowledged;
        unsigned fetched;
        bool subscribed, retain;
        uint8_t *seen; /* by number of the topic */
};

static int store(struct hoard *hoard, unsigned number)
{
        char topic[TOPIC_SIZE], payload[PAYLOAD + 1];
        uint8_t bytes[2 * (TOPIC_SIZE + PAYLOAD)];
        struct wire_publish publish = {
                .qos = 1, .retain = hoard->retain, .id = (uint16_t)(1 + number % HOARD_WINDOW)};
        int length;

        snprintf(topic, sizeof(topic), "fleet/pi-%06u/telemetry/indoor/state", number);
        snprintf(payload, sizeof(payload), "%-64u", number);
        publish.topic = wire_text_of(topic);
        publish.payload = wire_text_of(payload);
        length = wire_write_publish(bytes, sizeof(bytes), false, &publish);
        return length < 0 ? length : link_append(&hoard->link, bytes, (size_t)length);
}

static int on_message(struct hoard *hoard, const struct wire_packet *packet)
{
        struct wire_publish publish;
        char digits[PAYLOAD + 1] = "";
        unsigned long number;
        int r = wire_read_publish(packet, false, &publish);

        if (r < 0)
                return r;
        if (publish.payload.length != PAYLOAD || !publish.retain)
                return -EBADMSG;
        memcpy(digits, publish.payload.bytes, PAYLOAD);
        number = strtoul(digits, NULL, 10);
        if (number >= hoard->topics || hoard->seen[number])
                return -EBADMSG;
        hoard->seen[number] = 1;
        hoard->fetched++;
        return 0;
}

static int on_packet(void *owner, struct link *link, const struct wire_packet *packet)
{
        struct hoard *hoard = owner;
        uint16_t id;
        int r;

        (void)link;
        switch (packet->type) {
        case WIRE_PUBLISH:
                return hoard->seen ? on_message(hoard, packet) : -EBADMSG;
        case WIRE_SUBACK:
                hoard->subscribed = true;
                return packet->body.length == 3 && packet->body.bytes[2] == 0 ? 0 : -EBADMSG;
        case WIRE_PUBACK:
                r = wire_read_id(packet, &id);
                if (r == 0 && id != 1 + hoard->acknowledged % HOARD_WINDOW)
                        r = -EBADMSG;
                hoard->acknowledged++;
                return r;
        default:
                return -EBADMSG;
        }
}

static int hoard_open(struct hoard *hoard, const struct sockaddr_in *broker, unsigned topics,
                      const char *client_id)
{
        const struct link_plan plan = {.broker = *broker};
        int r;

        *hoard = (struct hoard){.links.epoll_fd = -1, .link.fd = -1, .topics = topics};
        if (topics == 0 || topics > HOARD_TOPICS_MAX)
                return -EINVAL;
        r = links_init(&hoard->links, on_packet, hoard);
        if (r == 0)
                r = link_open(&hoard->link, &plan, 0, client_id);
        return r < 0 ? r : links_add(&hoard->links, &hoard->link);
}

static void hoard_close(struct hoard *hoard)
{
        link_close(&hoard->link);
        links_done(&hoard->links);
        free(hoard->seen);
}

/* 1: all are acknowledged; 0: nothing comes any more. */
static int store_all(struct hoard *hoard)
{
        unsigned stored = 0;
        int r = 1;

        while (r > 0 && stored < hoard->topics) {
                unsigned end = hoard->topics - stored < HOARD_WINDOW ? hoard->topics
                                                                     : stored + HOARD_WINDOW;

                for (r = 0; r == 0 && stored < end; stored++)
                        r = store(hoard, stored);
                if (r == 0)
                        r = link_flush(&hoard->link, hoard->links.epoll_fd);
                for (r = r < 0 ? r : 1; r > 0 && hoard->acknowledged < end;)
                        r = links_turn(&hoard->links, SILENCE_MAX_MS);
        }
        return r;
}

static int fetch_all(struct hoard *hoard)
{
        const struct wire_text all = wire_text_of("#");
        uint8_t bytes[64];
        int r = wire_write_subscribe(bytes, sizeof(bytes), false, 1, &all, 1, 0);

        if (r > 0)
                r = link_append(&hoard->link, bytes, (size_t)r);
        if (r == 0)
                r = link_flush(&hoard->link, hoard->links.epoll_fd);
        for (r = r < 0 ? r : 1; r > 0 && (!hoard->subscribed || hoard->fetched < hoard->topics);)
                r = links_turn(&hoard->links, SILENCE_MAX_MS);
        return r;
}

static int measure(struct hoard *hoard, int (*what)(struct hoard *), int server,
                   struct hoard_result *ret)
{
        struct clocks before = {0}, after = {0};
        int r = clocks_read(server, &before);

        if (r == 0)
                r = what(hoard);
        if (r >= 0)
                r = clocks_read(server, &after);
        if (r == 0)
                ret->window = clocks_between(&before, &after);
        return r;
}

int hoard_store(const struct sockaddr_in *broker, unsigned topics, bool retain, int server,
                struct hoard_result *ret)
{
        struct hoard hoard;
        int r = hoard_open(&hoard, broker, topics, "hoard-store");

        hoard.retain = retain;
        if (r == 0)
                r = measure(&hoard, store_all, server, ret);
        ret->lost = topics - hoard.acknowledged;
        hoard_close(&hoard);
        return r;
}

int hoard_fetch(const struct sockaddr_in *broker, unsigned topics, int server,
                struct hoard_result *ret)
{
        struct hoard hoard;
        int r = hoard_open(&hoard, broker, topics, "hoard-fetch");

        if (r == 0) {
                hoard.seen = calloc(topics, 1);
                r = hoard.seen ? 0 : -ENOMEM;
        }
        if (r == 0)
                r = measure(&hoard, fetch_all, server, ret);
        ret->lost = topics - hoard.fetched;
        hoard_close(&hoard);
        return r;
}
