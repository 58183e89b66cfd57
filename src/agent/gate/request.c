#include "agent/gate/request.h"

#include "agent/gate/envelope.h"
#include "agent/gate/method.h"
#include "agent/gate/repeats.h"
#include "base/attributes.h"
#include "data/json.h"
#include "proto/mqtt/quoted.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ENVELOPE_KEEP = 64 << 10 }; /* capacity kept between replies */

struct gate_request {
        struct list link; /* of its caller's, while it goes on */
        struct gate *gate;
        struct gate_caller *caller;
        struct command_request *command; /* NULL: not under way */
        uint8_t qos;                     /* of the reply */
        uint16_t topic_length;           /* 0: nobody wants one */
        uint16_t correlation_length;
        bool has_correlation, has_id;
        bool in_envelope; /* its reply */
        struct gate_repeats_place place;
        char texts[]; /* topic, correlation data */
};

/* A message on its way to a command. */
struct arrival {
        struct gate_caller *caller;
        const struct mqtt_publish *publish;
        struct mqtt_text topic; /* for the reply; empty: none is wanted */
        cJSON *object;          /* NULL: `code` is why */
        enum command_code code; /* 0: nothing is wrong so far */
        struct error error;
        bool has_id;
        bool has_method; /* in place of a `command` */
};

/* One by one: the sentence of the error is longer than all the rest, and hardly ever there is
 * one. */
static void arrival_begin(struct arrival *arrival, struct gate_caller *caller,
                          const struct mqtt_publish *publish)
{
        arrival->caller = caller;
        arrival->publish = publish;
        arrival->topic = (struct mqtt_text){NULL, 0};
        arrival->object = NULL;
        arrival->code = 0;
        arrival->error.code = 0;
        arrival->error.text[0] = '\0';
        arrival->has_id = arrival->has_method = false;
}

static bool has_property(const struct mqtt_publish *publish, enum mqtt_property property)
{
        return publish->properties.present & mqtt_property_bit(property);
}

static void fault(struct arrival *arrival, enum command_code code, const char *sentence)
{
        arrival->code = code;
        error_set(&arrival->error, -EINVAL, "%s", sentence);
}

static int deny(const struct arrival *arrival, const char *why)
{
        const struct gate_caller *caller = arrival->caller;
        struct mqtt_quoted id;

        log_warning(caller->gate->options.log, caller->gate->counts.name,
                    "request denied client=\"%s\" who=\"%s\": %s",
                    mqtt_quote(caller->client_id, &id), caller->session.principal.name, why);
        caller->gate->counts.errors++;
        return MQTT_NOT_AUTHORIZED;
}

/* Publishing. */

static void publish_reply(const struct gate_request *request, const char *json, size_t length)
{
        struct gate_caller *caller = request->caller;
        struct mqtt_publish publish = {
                .topic = {request->texts, request->topic_length},
                .payload = {(const uint8_t *)json, (uint32_t)length},
                .qos = request->qos,
                .properties = {.whole = {(const uint8_t *)"", 0},
                               .correlation_data = {request->texts + request->topic_length,
                                                    request->correlation_length}},
        };
        struct mqtt_quoted id;
        int r = -ENOMEM;

        if (request->has_correlation)
                publish.properties.present = mqtt_property_bit(MQTT_CORRELATION_DATA);
        if (length > 0)
                r = mqtt_broker_publish(request->gate->broker, &publish);
        if (r >= 0) {
                request->gate->counts.bytes_out += length;
                if (request->place.sum != 0)
                        gate_repeats_keep_reply(request->gate->repeats, &request->place, json,
                                                length);
                return;
        }
        /* It would wait for ever. The end of its connection is an answer, too. */
        log_warning(request->gate->options.log, request->gate->counts.name,
                    "no memory for a reply client=\"%s\"", mqtt_quote(caller->client_id, &id));
        (void)mqtt_broker_kick(request->gate->broker, caller->client_id, MQTT_SERVER_BUSY);
}

static void request_free(struct gate_request *request)
{
        struct gate *gate = request->gate;

        list_remove(&request->link);
        request->caller->requests_count--;
        free(request);
        gate->requests_count--;
        gate_request_done(gate);
}

static void publish_in_envelope(const struct gate_request *request, const char *json, size_t length)
{
        struct buffer *envelope = &request->gate->envelope;

        if (length > 0 && gate_envelope_write(envelope, json, length, request->has_id) == 0)
                publish_reply(request, buffer_data(envelope), buffer_length(envelope));
        else
                publish_reply(request, NULL, 0);
        buffer_truncate(envelope, 0);
        buffer_shrink(envelope, ENVELOPE_KEEP);
}

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct gate_request *request = owner;

        if (!success)
                request->gate->counts.errors++;
        if (request->topic_length > 0 && request->in_envelope)
                publish_in_envelope(request, json, length);
        else if (request->topic_length > 0)
                publish_reply(request, json, length);
        request_free(request);
}

struct gate_request *gate_request_from_link(struct list *link)
{
        return container_of(link, struct gate_request, link);
}

void gate_request_abandon(struct gate_request *request)
{
        command_request_abandon(request->command);
        request_free(request);
}

/* Reading. */

/* MQTT 5: the client says where it waits. */
static int find_response_topic(struct arrival *arrival)
{
        const struct mqtt_publish *publish = arrival->publish;
        struct gate_reader reader = gate_caller_reader(arrival->caller);

        if (!has_property(publish, MQTT_RESPONSE_TOPIC))
                return 0;
        if (!gate_may_answer_at(&arrival->caller->gate->topics, &reader,
                                publish->properties.response_topic) ||
            !gate_caller_may(arrival->caller, ACL_WRITE, publish->properties.response_topic))
                return deny(arrival, "its response topic is not one of its own");
        arrival->topic = publish->properties.response_topic;
        return 0;
}

/* 3.1.1 has no properties: the payload says whether it waits. */
static int find_reply_member(struct arrival *arrival)
{
        cJSON *reply = cJSON_GetObjectItemCaseSensitive(arrival->object, "reply");
        bool wanted = cJSON_IsTrue(reply);

        if (!cJSON_IsBool(reply))
                return 0;
        cJSON_Delete(cJSON_DetachItemViaPointer(arrival->object, reply));
        if (!wanted || arrival->topic.length > 0)
                return 0;
        if (!arrival->caller->has_response_topic)
                return deny(arrival, "its client id cannot be part of a topic for replies");
        arrival->topic = arrival->caller->response_topic;
        return 0;
}

/* `token` is a synonym for `lease_token` here. All of them: one that stayed would be taken for
 * a user's. Two are refused by the registry. False: no memory. */
static bool rename_tokens(cJSON *object)
{
        cJSON *token;

        while ((token = cJSON_DetachItemFromObjectCaseSensitive(object, "token"))) {
                if (cJSON_AddItemToObject(object, "lease_token", token))
                        continue;
                cJSON_Delete(token);
                return false;
        }
        return true;
}

static void read_object(struct arrival *arrival)
{
        const struct mqtt_bytes *payload = &arrival->publish->payload;
        struct error error;
        int r = json_parse((const char *)payload->bytes, payload->length, GATE_DEPTH_MAX,
                           &arrival->object, &error);

        if (r < 0) {
                arrival->code = r == -ENOMEM ? COMMAND_BUSY : COMMAND_BAD_JSON;
                error_set(&arrival->error, r, "cannot read this request as JSON: %s", error.text);
        }
}

/* How it is to be answered. */
static void look_at(struct arrival *arrival)
{
        const cJSON *id = json_get(arrival->object, "id");

        arrival->has_id = id && !cJSON_IsNull(id);
        arrival->has_method =
                !json_get(arrival->object, "command") && json_get(arrival->object, "method");
}

/* What is wrong before a command is looked for. */
static void check(struct arrival *arrival)
{
        const struct gate *gate = arrival->caller->gate;
        const struct mqtt_publish *publish = arrival->publish;

        if (arrival->code != 0)
                return;
        if (gate->stopping)
                fault(arrival, COMMAND_NOT_READY, "the agent is stopping");
        else if (has_property(publish, MQTT_MESSAGE_EXPIRY) &&
                 publish->properties.message_expiry_s == 0)
                fault(arrival, COMMAND_EXPIRED, "the request had expired when it came");
        else if (arrival->caller->requests_count > GATE_PENDING_MAX)
                fault(arrival, COMMAND_BUSY,
                      "too many requests of this client are under way; try again later");
        else if (cJSON_IsObject(arrival->object) && !rename_tokens(arrival->object))
                fault(arrival, COMMAND_BUSY, "not enough memory; try again later");
}

/* What cannot be a command's stays as it is, with the reason in the arrival. */
static void read_method(struct arrival *arrival)
{
        if (arrival->code == 0)
                (void)gate_method_to_command(arrival->object, &arrival->code, &arrival->error);
}

/* Answering. */

static struct gate_request *request_new(const struct arrival *arrival)
{
        const struct mqtt_properties *properties = &arrival->publish->properties;
        bool correlated = has_property(arrival->publish, MQTT_CORRELATION_DATA);
        size_t correlation = correlated ? properties->correlation_data.length : 0;
        struct gate_request *request =
                malloc(sizeof(*request) + arrival->topic.length + correlation);

        if (!request)
                return NULL;
        *request = (struct gate_request){
                .gate = arrival->caller->gate,
                .caller = arrival->caller,
                .qos = arrival->publish->qos > 0,
                .topic_length = arrival->topic.length,
                .correlation_length = (uint16_t)correlation,
                .has_correlation = correlated,
                .has_id = arrival->has_id,
                .in_envelope = arrival->has_method,
        };
        list_init(&request->link);
        if (arrival->topic.length > 0)
                memcpy(request->texts, arrival->topic.bytes, arrival->topic.length);
        if (correlation > 0)
                memcpy(request->texts + arrival->topic.length, properties->correlation_data.bytes,
                       correlation);
        request->caller->requests_count++;
        request->gate->requests_count++;
        return request;
}

/* Notes it, too. Without memory nothing is a repeat. */
static bool is_repeat(const struct arrival *arrival, struct gate_request *request)
{
        struct gate *gate = request->gate;

        if (arrival->publish->qos != 1 || arrival->code != 0 ||
            (!gate->repeats && gate_repeats_new(&gate->repeats) < 0))
                return false;
        return gate_repeats_meet(gate->repeats, arrival->caller->client_id,
                                 &arrival->caller->session.principal, arrival->publish,
                                 loop_now_ms(command_registry_loop(gate->registry)),
                                 &request->place);
}

/* With the reply of the first, when there is one by now. */
static void answer_again(struct gate_request *request)
{
        char copy[GATE_REPEATS_REPLY_MAX];
        size_t length;
        const char *reply = gate_repeats_reply(request->gate->repeats, &request->place, &length);

        if (reply && request->topic_length > 0) {
                memcpy(copy, reply, length);
                publish_reply(request, copy, length);
        }
        request_free(request);
}

static void answer(struct arrival *arrival, struct gate_request *request)
{
        struct gate *gate = request->gate;
        struct command_call call = {
                .session = &arrival->caller->session,
                .object = arrival->object,
                .received_ms = loop_now_ms(command_registry_loop(gate->registry)),
                .on_reply = on_reply,
                .owner = request,
        };
        struct command_request *pending = NULL;

        if (arrival->code != 0) {
                command_refuse(gate->registry, &call, arrival->code, "%s", arrival->error.text);
        } else {
                command_dispatch(gate->registry, &call, &pending);
                if (!pending)
                        return;
                request->command = pending;
                list_append(&arrival->caller->requests, &request->link);
        }
}

/* To administrators who want to see what comes in. Without what it answers by. */
static void show(const struct gate *gate, const struct mqtt_publish *publish)
{
        struct mqtt_publish copy = {.topic = publish->topic, .payload = publish->payload};

        if (gate->watched)
                (void)mqtt_broker_publish(gate->broker, &copy);
}

int gate_request_take(struct gate_caller *caller, const struct mqtt_publish *publish)
{
        struct arrival arrival;
        struct gate *gate = caller->gate;
        struct gate_request *request = NULL;
        int reason;

        arrival_begin(&arrival, caller, publish);
        gate->counts.requests++;
        gate->counts.bytes_in += publish->payload.length;
        mqtt_broker_charge(gate->broker, gate->request_charge);
        if (publish->retain)
                return deny(&arrival, "it is retained, and would be carried out again and again");
        reason = find_response_topic(&arrival);
        if (reason != 0)
                return reason;
        if (publish->payload.length > gate->options.request_bytes)
                fault(&arrival, COMMAND_TOO_LARGE,
                      "the payload is longer than command.max_line allows");
        else
                read_object(&arrival);
        if (cJSON_IsObject(arrival.object)) {
                look_at(&arrival);
                reason = find_reply_member(&arrival);
        }
        if (reason == 0) {
                request = request_new(&arrival);
                if (!request)
                        reason = MQTT_SERVER_BUSY;
        }
        if (reason != 0) {
                cJSON_Delete(arrival.object);
                return reason;
        }
        show(gate, publish);
        check(&arrival);
        if (arrival.has_method)
                read_method(&arrival);
        if (is_repeat(&arrival, request)) {
                cJSON_Delete(arrival.object);
                answer_again(request);
                return MQTT_HOOK_HANDLED;
        }
        answer(&arrival, request);
        return MQTT_HOOK_HANDLED;
}
