#include "client/property.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <stdlib.h>
#include <string.h>

static int add_pair(mosquitto_property **list, const struct client_pair *pair)
{
        /* It looks at its texts for all other kinds, but not for this one. */
        if (mosquitto_validate_utf8(pair->name, (int)strlen(pair->name)) != MOSQ_ERR_SUCCESS ||
            mosquitto_validate_utf8(pair->value, (int)strlen(pair->value)) != MOSQ_ERR_SUCCESS)
                return MOSQ_ERR_MALFORMED_UTF8;
        return mosquitto_property_add_string_pair(list, MQTT_PROP_USER_PROPERTY, pair->name,
                                                  pair->value);
}

static int add_all(const struct client_message *message, mosquitto_property **list)
{
        int r = MOSQ_ERR_SUCCESS;

        if (message->is_text)
                r = mosquitto_property_add_byte(list, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
        if (r == MOSQ_ERR_SUCCESS && message->has_expiry)
                r = mosquitto_property_add_int32(list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                                 message->expiry_seconds);
        if (r == MOSQ_ERR_SUCCESS && message->content_type)
                r = mosquitto_property_add_string(list, MQTT_PROP_CONTENT_TYPE,
                                                  message->content_type);
        if (r == MOSQ_ERR_SUCCESS && message->response_topic)
                r = mosquitto_property_add_string(list, MQTT_PROP_RESPONSE_TOPIC,
                                                  message->response_topic);
        if (r == MOSQ_ERR_SUCCESS && message->correlation)
                r = mosquitto_property_add_binary(list, MQTT_PROP_CORRELATION_DATA,
                                                  message->correlation,
                                                  message->correlation_length);
        for (size_t i = 0; i < message->pair_count && r == MOSQ_ERR_SUCCESS; i++)
                r = add_pair(list, &message->pairs[i]);
        return r;
}

int client_property_list(const struct client_message *message, mosquitto_property **ret)
{
        mosquitto_property *list = NULL;
        int r = add_all(message, &list);

        if (r == MOSQ_ERR_SUCCESS) {
                *ret = list;
                return 0;
        }
        mosquitto_property_free_all(&list);
        return r == MOSQ_ERR_NOMEM ? -ENOMEM : -EINVAL;
}

static size_t count_pairs(const mosquitto_property *list)
{
        size_t count = 0;

        for (; list; list = mosquitto_property_next(list))
                if (mosquitto_property_identifier(list) == MQTT_PROP_USER_PROPERTY)
                        count++;
        return count;
}

/* The readers give NULL for what is not there, and also when memory ran out while they copied:
 * whether the property is there tells the two apart. */
static bool is_copied(const mosquitto_property *found, const void *copy)
{
        return !found || copy;
}

/* `room` pairs are there to be filled, in place of message->pairs, which is read only. */
static int receive_pairs(const mosquitto_property *list, struct client_pair *room,
                         struct client_message *message)
{
        for (; list; list = mosquitto_property_next(list)) {
                char *name = NULL, *value = NULL;

                if (mosquitto_property_identifier(list) != MQTT_PROP_USER_PROPERTY)
                        continue;
                if (!mosquitto_property_read_string_pair(list, MQTT_PROP_USER_PROPERTY, &name,
                                                         &value, false) ||
                    !name || !value) {
                        free(name);
                        free(value);
                        return -ENOMEM;
                }
                room[message->pair_count++] = (struct client_pair){name, value};
        }
        return 0;
}

static int receive_properties(const mosquitto_property *list, struct client_message *message)
{
        size_t pairs = count_pairs(list);
        uint8_t format = 0;
        char *content_type = NULL, *response_topic = NULL;
        void *correlation = NULL;
        const mosquitto_property *of_type, *of_response, *of_correlation;

        (void)mosquitto_property_read_byte(list, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, &format,
                                           false);
        message->is_text = format == 1;
        message->has_expiry = mosquitto_property_read_int32(list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
                                                            &message->expiry_seconds, false);
        of_type =
                mosquitto_property_read_string(list, MQTT_PROP_CONTENT_TYPE, &content_type, false);
        of_response = mosquitto_property_read_string(list, MQTT_PROP_RESPONSE_TOPIC,
                                                     &response_topic, false);
        of_correlation =
                mosquitto_property_read_binary(list, MQTT_PROP_CORRELATION_DATA, &correlation,
                                               &message->correlation_length, false);
        message->content_type = content_type;
        message->response_topic = response_topic;
        message->correlation = correlation;
        if (!is_copied(of_type, content_type) || !is_copied(of_response, response_topic) ||
            (!is_copied(of_correlation, correlation) && message->correlation_length > 0))
                return -ENOMEM;
        if (pairs > 0) {
                struct client_pair *room = calloc(pairs, sizeof(*room));

                message->pairs = room;
                return room ? receive_pairs(list, room, message) : -ENOMEM;
        }
        return 0;
}

int client_property_receive(const struct mosquitto_message *from, const mosquitto_property *list,
                            struct client_message **ret)
{
        AUTO(client_message) struct client_message *message = calloc(1, sizeof(*message));
        void *payload = NULL;
        int r;

        if (!message)
                return -ENOMEM;
        message->topic = strdup(from->topic);
        if (!message->topic)
                return -ENOMEM;
        if (from->payloadlen > 0) {
                message->payload = payload = malloc((size_t)from->payloadlen);
                if (!payload)
                        return -ENOMEM;
                memcpy(payload, from->payload, (size_t)from->payloadlen);
                message->payload_length = (size_t)from->payloadlen;
        }
        message->qos = from->qos;
        message->retain = from->retain;
        r = receive_properties(list, message);
        if (r < 0)
                return r;
        *ret = TAKE(message);
        return 0;
}
