#include "bench/mqtt/flow.h"

#include "bench/mqtt/ledger.h"
#include "bench/mqtt/link.h"
#include "bench/mqtt/shape.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
        SILENCE_MAX_MS = 3000,
        ID_SIZE = 64,
        FILTERS_AT_ONCE = 100,
        DIGITS = 6,
};

struct publisher {
        struct link link;
        uint8_t *batch; /* as many messages as leave at once */
        size_t message_length;
        size_t device, id, payload; /* where these are in a message; device 0: nowhere */
        uint32_t random;
        uint64_t *sent_ns;           /* of those not yet acknowledged; a ring of a window */
        uint64_t sent, acknowledged; /* how many */
        bool is_due;                 /* in the list of those that may have room */
};

struct flow {
        struct flow_plan plan;
        struct links links;
        struct ledger *ledger;
        struct publisher *publishers;
        struct link *receivers;
        unsigned *due; /* publishers */
        unsigned due_count;
        struct histogram *acknowledgements; /* NULL: they do not count */
        bool publishing;                    /* false: only what is under way is awaited */
};

/* --- messages -------------------------------------------------------------------------- */

static void put_four(uint8_t *at, uint32_t value)
{
        for (unsigned i = 0; i < 4; i++)
                at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_four(const uint8_t *at)
{
        return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int publisher_prepare(struct flow *flow, struct publisher *publisher)
{
        static const uint8_t filler[FLOW_PAYLOAD] = "64 bytes of which the first 16 say whose";
        char topic[SHAPE_TOPIC_SIZE];
        uint8_t message[256];
        struct wire_publish publish = {.qos = (uint8_t)flow->plan.qos,
                                       .retain = flow->plan.retain,
                                       .id = 1,
                                       .payload = {filler, sizeof(filler)}};
        const uint8_t *digits;
        int length;

        shape_print_topic(flow->plan.shape, publisher->link.number, topic);
        publish.topic = wire_text_of(topic);
        length = wire_write_publish(message, sizeof(message), false, &publish);
        if (length < 0)
                return length;
        publisher->message_length = (size_t)length;
        publisher->payload = (size_t)length - sizeof(filler);
        publisher->id = publisher->payload - 2;
        digits = memmem(message, (size_t)length, "pi-", 3);
        publisher->device = digits ? (size_t)(digits - message) + 3 : 0;
        publisher->random = 0x9e3779b9 + publisher->link.number;
        publisher->batch = malloc(flow->plan.per_write * (size_t)length);
        publisher->sent_ns = calloc(flow->plan.window, sizeof(*publisher->sent_ns));
        if (!publisher->batch || !publisher->sent_ns)
                return -ENOMEM;
        for (unsigned i = 0; i < flow->plan.per_write; i++)
                memcpy(publisher->batch + i * (size_t)length, message, (size_t)length);
        return 0;
}

static uint32_t random_below(uint32_t *state, uint32_t below)
{
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        return (uint32_t)((uint64_t)*state * below >> 32);
}

/* Any of the shape that is this publisher's. Returns its receiver. */
static unsigned choose_device(struct flow *flow, struct publisher *publisher, uint8_t *message)
{
        unsigned devices = flow->plan.receivers * flow->plan.filters;
        unsigned device =
                random_below(&publisher->random, devices / SHAPE_FLEET_KINDS) * SHAPE_FLEET_KINDS +
                publisher->link.number % SHAPE_FLEET_KINDS;
        unsigned rest = device;

        for (unsigned i = DIGITS; i-- > 0; rest /= 10)
                message[publisher->device + i] = (uint8_t)('0' + rest % 10);
        return device / flow->plan.filters;
}

static int publish_batch(struct flow *flow, struct publisher *publisher)
{
        uint64_t now = flow->plan.qos > 0 ? clocks_now_ns() : 0;

        for (unsigned i = 0; i < flow->plan.per_write; i++) {
                uint8_t *message = publisher->batch + i * publisher->message_length;
                uint8_t *payload = message + publisher->payload;
                unsigned lane = publisher->device ? choose_device(flow, publisher, message) : 0;
                uint64_t number;
                uint16_t id;

                number = ledger_publish(flow->ledger, publisher->link.number, lane, &id);
                if (flow->plan.qos > 0) {
                        message[publisher->id] = (uint8_t)(id >> 8);
                        message[publisher->id + 1] = (uint8_t)id;
                }
                publisher->sent_ns[publisher->sent++ % flow->plan.window] = now;
                put_four(payload, publisher->link.number);
                put_four(payload + 4, lane);
                put_four(payload + 8, (uint32_t)(number >> 32));
                put_four(payload + 12, (uint32_t)number);
        }
        if (link_append(&publisher->link, publisher->batch,
                        flow->plan.per_write * publisher->message_length) < 0)
                return -ENOMEM;
        return link_flush(&publisher->link, flow->links.epoll_fd);
}

static void publisher_is_due(struct flow *flow, unsigned publisher)
{
        if (!flow->publishing || flow->publishers[publisher].is_due)
                return;
        flow->publishers[publisher].is_due = true;
        flow->due[flow->due_count++] = publisher;
}

static int publish_due(struct flow *flow)
{
        for (unsigned i = 0; i < flow->due_count; i++) {
                struct publisher *publisher = &flow->publishers[flow->due[i]];

                publisher->is_due = false;
                while (flow->publishing && ledger_has_room(flow->ledger, flow->due[i])) {
                        int r = publish_batch(flow, publisher);

                        if (r < 0)
                                return r;
                }
        }
        flow->due_count = 0;
        return 0;
}

/* --- packets --------------------------------------------------------------------------- */

static int answer(struct link *link, enum wire_type type, uint16_t id)
{
        uint8_t bytes[WIRE_ACKNOWLEDGEMENT];

        wire_write_acknowledgement(bytes, type, id);
        return link_append(link, bytes, sizeof(bytes));
}

static int on_message(struct flow *flow, struct link *link, const struct wire_packet *packet)
{
        struct wire_publish publish;
        uint32_t publisher;
        int r = wire_read_publish(packet, false, &publish);

        if (r < 0)
                return r;
        if (publish.payload.length != FLOW_PAYLOAD || publish.qos != flow->plan.qos)
                return -EBADMSG;
        publisher = get_four(publish.payload.bytes);
        r = ledger_deliver(flow->ledger, link->number, publisher,
                           get_four(publish.payload.bytes + 4),
                           (uint64_t)get_four(publish.payload.bytes + 8) << 32 |
                                   get_four(publish.payload.bytes + 12));
        if (r < 0)
                return r;
        publisher_is_due(flow, publisher);
        if (publish.qos == 0)
                return 0;
        return answer(link, publish.qos == 1 ? WIRE_PUBACK : WIRE_PUBREC, publish.id);
}

static int on_acknowledged(struct flow *flow, struct link *link, uint16_t id)
{
        struct publisher *publisher = &flow->publishers[link->number];
        int r = ledger_acknowledge(flow->ledger, link->number, id);

        if (r < 0)
                return r;
        if (flow->acknowledgements)
                histogram_add(
                        flow->acknowledgements,
                        clocks_now_ns() -
                                publisher->sent_ns[publisher->acknowledged % flow->plan.window],
                        1);
        publisher->acknowledged++;
        publisher_is_due(flow, link->number);
        return 0;
}

static int on_packet(void *owner, struct link *link, const struct wire_packet *packet)
{
        struct flow *flow = owner;
        uint16_t id;
        int r;

        if (packet->type == WIRE_PUBLISH)
                return link->is_receiver ? on_message(flow, link, packet) : -EBADMSG;
        r = wire_read_id(packet, &id);
        if (r < 0)
                return r;
        if (link->is_receiver)
                return packet->type == WIRE_PUBREL ? answer(link, WIRE_PUBCOMP, id) : -EBADMSG;
        if (packet->type == WIRE_PUBREC && flow->plan.qos == 2)
                return answer(link, WIRE_PUBREL, id);
        if (packet->type != (flow->plan.qos == 1 ? WIRE_PUBACK : WIRE_PUBCOMP))
                return -EBADMSG;
        return on_acknowledged(flow, link, id);
}

/* --- a flow ---------------------------------------------------------------------------- */

static bool plan_is_sound(const struct flow_plan *plan)
{
        /* More than TCP is set up, and no more. */
        if (plan->kind != CHANNEL_TCP && plan->publishers > 0)
                return false;
        if (plan->publishers > FLOW_CLIENTS_MAX || plan->receivers > FLOW_CLIENTS_MAX ||
            plan->receivers == 0 || plan->qos > 2 || plan->filters == 0 ||
            plan->filters > FLOW_FILTERS_MAX || (plan->retain && plan->shape == SHAPE_FLEET))
                return false;
        switch (plan->shape) {
        case SHAPE_FAN_IN:
                return plan->receivers == 1 && plan->filters == 1;
        case SHAPE_FAN_OUT:
                return plan->filters == 1;
        case SHAPE_PAIRS:
                return plan->receivers == plan->publishers && plan->filters == 1;
        case SHAPE_FLEET:
                return plan->receivers * plan->filters >= SHAPE_FLEET_KINDS &&
                       plan->receivers * plan->filters <= 1000000;
        }
        return false;
}

static int open_client(struct flow *flow, struct link *link, unsigned number, bool receives)
{
        const struct link_plan plan = {.broker = flow->plan.broker,
                                       .lasting = receives && flow->plan.lasting,
                                       .kind = flow->plan.kind,
                                       .secure = flow->plan.secure};
        char id[ID_SIZE];

        snprintf(id, sizeof(id), "%s-%06u", receives ? "receiver" : "publisher", number);
        return link_open(link, &plan, number, id);
}

static int open_all(struct flow *flow)
{
        int r = links_init(&flow->links, on_packet, flow);

        for (unsigned i = 0; r == 0 && i < flow->plan.receivers; i++) {
                r = open_client(flow, &flow->receivers[i], i, true);
                flow->receivers[i].is_receiver = true;
        }
        for (unsigned i = 0; r == 0 && i < flow->plan.publishers; i++) {
                r = open_client(flow, &flow->publishers[i].link, i, false);
                if (r == 0)
                        r = publisher_prepare(flow, &flow->publishers[i]);
        }
        return r;
}

int flow_new(const struct flow_plan *plan, struct flow **ret)
{
        struct ledger_plan ledger = {
                .publishers = plan->publishers,
                .receivers = plan->receivers,
                .lanes = plan->shape == SHAPE_FLEET ? plan->receivers : 1,
                .copies = plan->shape == SHAPE_FAN_OUT ? plan->receivers : 1,
                .window = plan->window,
                .per_write = plan->per_write,
                .acknowledged = plan->qos > 0,
        };
        struct flow *flow;
        int r;

        if (!plan_is_sound(plan))
                return -EINVAL;
        flow = calloc(1, sizeof(*flow));
        if (!flow)
                return -ENOMEM;
        flow->plan = *plan;
        flow->links.epoll_fd = -1;
        r = ledger_new(&ledger, &flow->ledger);
        flow->publishers = calloc(plan->publishers + 1, sizeof(*flow->publishers));
        flow->receivers = calloc(plan->receivers, sizeof(*flow->receivers));
        flow->due = calloc(plan->publishers + 1, sizeof(*flow->due));
        if (r == 0 && (!flow->publishers || !flow->receivers || !flow->due))
                r = -ENOMEM;
        for (unsigned i = 0; flow->publishers && i < plan->publishers; i++)
                flow->publishers[i].link.fd = -1;
        for (unsigned i = 0; flow->receivers && i < plan->receivers; i++)
                flow->receivers[i].fd = -1;
        if (r == 0)
                r = open_all(flow);
        if (r < 0) {
                flow_free(flow);
                return r;
        }
        *ret = flow;
        return 0;
}

struct flow *flow_free(struct flow *flow)
{
        if (!flow)
                return NULL;
        for (unsigned i = 0; flow->publishers && i < flow->plan.publishers; i++) {
                link_close(&flow->publishers[i].link);
                free(flow->publishers[i].batch);
                free(flow->publishers[i].sent_ns);
        }
        for (unsigned i = 0; flow->receivers && i < flow->plan.receivers; i++)
                link_close(&flow->receivers[i]);
        links_done(&flow->links);
        ledger_free(flow->ledger);
        free(flow->publishers);
        free(flow->receivers);
        free(flow->due);
        free(flow);
        return NULL;
}

static int subscribe(struct flow *flow, unsigned receiver)
{
        char texts[FILTERS_AT_ONCE][SHAPE_TOPIC_SIZE];
        struct wire_text filters[FILTERS_AT_ONCE];
        unsigned done = 0;
        int r = 0;

        while (r == 0 && done < flow->plan.filters) {
                unsigned count = 0;

                for (; count < FILTERS_AT_ONCE && done + count < flow->plan.filters; count++) {
                        shape_print_filter(flow->plan.shape,
                                           receiver * flow->plan.filters + done + count,
                                           texts[count]);
                        filters[count] = wire_text_of(texts[count]);
                }
                done += count;
                r = link_subscribe(&flow->receivers[receiver], (uint16_t)(1 + done / count),
                                   filters, count, (uint8_t)flow->plan.qos);
        }
        return r;
}

int flow_subscribe(struct flow *flow)
{
        int r = 0;

        for (unsigned i = 0; r == 0 && i < flow->plan.receivers; i++)
                r = subscribe(flow, i);
        if (flow->plan.publishers == 0)
                return r;
        for (unsigned i = 0; r == 0 && i < flow->plan.receivers; i++)
                r = links_add(&flow->links, &flow->receivers[i]);
        for (unsigned i = 0; r == 0 && i < flow->plan.publishers; i++)
                r = links_add(&flow->links, &flow->publishers[i].link);
        return r;
}

/* 1: time is over; 0: nothing comes any more. */
static int run_until(struct flow *flow, uint64_t deadline_ns)
{
        while (clocks_now_ns() < deadline_ns) {
                int r = links_turn(&flow->links, SILENCE_MAX_MS);

                if (r <= 0)
                        return r;
                r = publish_due(flow);
                if (r < 0)
                        return r;
        }
        return 1;
}

static int drain(struct flow *flow)
{
        int r = 1;

        flow->publishing = false;
        while (r > 0 && ledger_under_way(flow->ledger) > 0)
                r = links_turn(&flow->links, SILENCE_MAX_MS);
        return r < 0 ? r : 0;
}

/* The next receivers are not to get what these have retained. */
static int forget_retained(struct flow *flow)
{
        const struct link_plan plan = {.broker = flow->plan.broker};
        struct link link;
        int r = link_open(&link, &plan, 0, "forgets");

        for (unsigned i = 0; r == 0 && i < flow->plan.publishers; i++) {
                char topic[SHAPE_TOPIC_SIZE];
                struct wire_publish publish = {.qos = 1, .retain = true, .id = 1};

                shape_print_topic(flow->plan.shape, i, topic);
                publish.topic = wire_text_of(topic);
                r = link_publish(&link, &publish);
        }
        link_close(&link);
        return r;
}

/* What the broker keeps of them, half-done acknowledgements not least, is not to be there when the
 * next receivers come. */
static int forget_sessions(struct flow *flow)
{
        int r = 0;

        flow->plan.lasting = false;
        for (unsigned i = 0; r == 0 && i < flow->plan.receivers; i++) {
                link_close(&flow->receivers[i]);
                r = open_client(flow, &flow->receivers[i], i, true);
        }
        return r;
}

int flow_measure(struct flow *flow, int server, unsigned warm_up_ms, unsigned window_ms,
                 struct flow_result *ret)
{
        struct clocks before = {0}, after = {0};
        uint64_t delivered;
        int r;

        flow->publishing = true;
        for (unsigned i = 0; i < flow->plan.publishers; i++)
                publisher_is_due(flow, i);
        r = publish_due(flow);
        if (r == 0)
                r = run_until(flow, clocks_now_ns() + (uint64_t)warm_up_ms * 1000000);
        if (r >= 0)
                r = clocks_read(server, &before);
        delivered = ledger_delivered(flow->ledger);
        histogram_reset(&ret->acknowledgements);
        flow->acknowledgements = &ret->acknowledgements;
        if (r >= 0)
                r = run_until(flow, before.monotonic_ns + (uint64_t)window_ms * 1000000);
        if (r >= 0)
                r = clocks_read(server, &after);
        flow->acknowledgements = NULL;
        if (r < 0)
                return r;
        ret->window = clocks_between(&before, &after);
        ret->delivered = ledger_delivered(flow->ledger) - delivered;
        r = drain(flow);
        ret->lost = ledger_lost(flow->ledger) + ledger_under_way(flow->ledger);
        if (r == 0 && flow->plan.retain)
                r = forget_retained(flow);
        return r == 0 && flow->plan.lasting ? forget_sessions(flow) : r;
}
