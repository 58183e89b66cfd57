#include "bench/mqtt/callers.h"

#include "bench/mqtt/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SILENCE_MAX_MS = 3000, TOPIC_SIZE = 64, PACKET_SIZE = 512 };

static const char request_topic[] = "rpc/request";

struct caller {
        struct link link;
        uint64_t number; /* of its request */
        uint64_t sent_ns;
        bool waits;
};

struct callers {
        struct links links;
        struct link responder;
        unsigned count, waiting;
        bool calling;                /* false: replies bring no more requests */
        struct histogram *latencies; /* NULL: they do not count */
        struct caller *callers;
};

static int append_publish(struct link *link, const struct wire_publish *publish)
{
        uint8_t bytes[PACKET_SIZE];
        int length = wire_write_publish(bytes, sizeof(bytes), true, publish);

        return length < 0 ? length : link_append(link, bytes, (size_t)length);
}

static int call(struct callers *callers, struct caller *caller)
{
        static const uint8_t payload[CALLERS_PAYLOAD] =
                "{\"command\":\"system_info\"} and some words more, of a usual length";
        char topic[TOPIC_SIZE];
        struct wire_publish publish = {.topic = wire_text_of(request_topic),
                                       .payload = {payload, sizeof(payload)}};

        caller->number++;
        snprintf(topic, sizeof(topic), "rpc/reply/%06u", caller->link.number);
        publish.response_topic = wire_text_of(topic);
        publish.correlation =
                (struct wire_text){(const uint8_t *)&caller->number, sizeof(caller->number)};
        caller->waits = true;
        callers->waiting++;
        caller->sent_ns = clocks_now_ns();
        return append_publish(&caller->link, &publish);
}

static int on_reply(struct callers *callers, struct caller *caller,
                    const struct wire_publish *reply)
{
        if (!caller->waits || reply->payload.length != CALLERS_PAYLOAD ||
            reply->correlation.length != sizeof(caller->number) ||
            memcmp(reply->correlation.bytes, &caller->number, sizeof(caller->number)) != 0)
                return -EBADMSG;
        caller->waits = false;
        callers->waiting--;
        if (callers->latencies)
                histogram_add(callers->latencies, clocks_now_ns() - caller->sent_ns, 1);
        return callers->calling ? call(callers, caller) : 0;
}

static int on_packet(void *owner, struct link *link, const struct wire_packet *packet)
{
        struct callers *callers = owner;
        struct wire_publish publish;
        int r;

        if (packet->type != WIRE_PUBLISH)
                return -EBADMSG;
        r = wire_read_publish(packet, true, &publish);
        if (r < 0)
                return r;
        if (!link->is_receiver)
                return on_reply(callers, &callers->callers[link->number], &publish);
        publish.topic = publish.response_topic;
        publish.response_topic.length = 0;
        return append_publish(link, &publish);
}

static int open_link(struct callers *callers, const struct sockaddr_in *broker, struct link *link,
                     unsigned number, const char *id, const char *topic)
{
        struct wire_text filter = wire_text_of(topic);
        const struct link_plan plan = {.broker = *broker, .version_5 = true};
        int r = link_open(link, &plan, number, id);

        if (r == 0)
                r = link_subscribe(link, 1, &filter, 1, 0);
        return r < 0 ? r : links_add(&callers->links, link);
}

static int open_all(struct callers *callers, const struct sockaddr_in *broker)
{
        int r = links_init(&callers->links, on_packet, callers);

        if (r == 0)
                r = open_link(callers, broker, &callers->responder, 0, "responder", request_topic);
        callers->responder.is_receiver = true;
        for (unsigned i = 0; r == 0 && i < callers->count; i++) {
                char id[TOPIC_SIZE], topic[TOPIC_SIZE];

                snprintf(id, sizeof(id), "caller-%06u", i);
                snprintf(topic, sizeof(topic), "rpc/reply/%06u", i);
                r = open_link(callers, broker, &callers->callers[i].link, i, id, topic);
        }
        return r;
}

int callers_new(const struct sockaddr_in *broker, unsigned count, struct callers **ret)
{
        struct callers *callers;
        int r;

        if (count == 0 || count > CALLERS_MAX)
                return -EINVAL;
        callers = calloc(1, sizeof(*callers));
        if (!callers)
                return -ENOMEM;
        callers->links.epoll_fd = -1;
        callers->responder.fd = -1;
        callers->count = count;
        callers->callers = calloc(count, sizeof(*callers->callers));
        r = callers->callers ? 0 : -ENOMEM;
        for (unsigned i = 0; r == 0 && i < count; i++)
                callers->callers[i].link.fd = -1;
        if (r == 0)
                r = open_all(callers, broker);
        if (r < 0) {
                callers_free(callers);
                return r;
        }
        *ret = callers;
        return 0;
}

struct callers *callers_free(struct callers *callers)
{
        if (!callers)
                return NULL;
        for (unsigned i = 0; callers->callers && i < callers->count; i++)
                link_close(&callers->callers[i].link);
        link_close(&callers->responder);
        links_done(&callers->links);
        free(callers->callers);
        free(callers);
        return NULL;
}

/* As flow.c's. */
static int run_until(struct callers *callers, uint64_t deadline_ns)
{
        while (clocks_now_ns() < deadline_ns) {
                int r = links_turn(&callers->links, SILENCE_MAX_MS);

                if (r <= 0)
                        return r;
        }
        return 1;
}

static int drain(struct callers *callers)
{
        int r = 1;

        callers->calling = false;
        callers->latencies = NULL;
        while (r > 0 && callers->waiting > 0)
                r = links_turn(&callers->links, SILENCE_MAX_MS);
        return r < 0 ? r : 0;
}

int callers_measure(struct callers *callers, int server, unsigned warm_up_ms, unsigned window_ms,
                    struct callers_result *ret)
{
        struct clocks before = {0}, after = {0};
        int r = 0;

        callers->calling = true;
        for (unsigned i = 0; r == 0 && i < callers->count; i++) {
                r = call(callers, &callers->callers[i]);
                if (r == 0)
                        r = link_flush(&callers->callers[i].link, callers->links.epoll_fd);
        }
        if (r == 0)
                r = run_until(callers, clocks_now_ns() + (uint64_t)warm_up_ms * 1000000);
        histogram_reset(&ret->latencies);
        callers->latencies = &ret->latencies;
        if (r >= 0)
                r = clocks_read(server, &before);
        if (r >= 0)
                r = run_until(callers, before.monotonic_ns + (uint64_t)window_ms * 1000000);
        if (r >= 0)
                r = clocks_read(server, &after);
        if (r < 0)
                return r;
        ret->window = clocks_between(&before, &after);
        r = drain(callers);
        ret->lost = callers->waiting;
        return r;
}
