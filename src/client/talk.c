#include "base/attributes.h"
#include "client/connection-internal.h"
#include "client/failure.h"
#include "client/property.h"

#include <errno.h>
#include <string.h>

/* What libmosquitto does not take. */
static int refuse(const struct client_connection *connection, int result, struct error *error)
{
        return connection->end != 0 ? client_connection_ended(connection, error)
                                    : client_failure(result, errno, connection->name, error);
}

int client_connection_publish(struct client_connection *connection,
                              const struct client_message *message, int timeout_ms,
                              struct error *error)
{
        struct client_answer *answer = &connection->publish;
        mosquitto_property *list = NULL;
        int r;

        if (message->payload_length > CLIENT_PAYLOAD_MAX)
                return client_failure(MOSQ_ERR_PAYLOAD_SIZE, 0, connection->name, error);
        r = client_property_list(message, &list);
        if (r < 0)
                return client_failure(r == -ENOMEM ? MOSQ_ERR_NOMEM : MOSQ_ERR_INVAL, 0,
                                      connection->name, error);
        answer->there = false;
        /* A message of QoS 0 can be told as written before this returns. */
        r = mosquitto_publish_v5(connection->mosquitto, &answer->id, message->topic,
                                 (int)message->payload_length, message->payload, message->qos,
                                 message->retain, list);
        mosquitto_property_free_all(&list);
        if (r != MOSQ_ERR_SUCCESS)
                return refuse(connection, r, error);
        r = client_connection_await(connection, answer, "did not acknowledge the message",
                                    client_connection_deadline(timeout_ms), error);
        if (r != 0)
                return r;
        if (answer->reasons[0] >= CLIENT_REASON_REFUSED)
                return client_failure_reason(answer->reasons[0], "the broker refused the message",
                                             answer->words, error);
        return answer->reasons[0] == CLIENT_REASON_NOBODY ? CLIENT_REASON_NOBODY : 0;
}

int client_connection_subscribe(struct client_connection *connection,
                                const struct client_subscription *subscription, uint8_t reasons[],
                                int timeout_ms, struct error *error)
{
        int options = subscription->retain_handling << 4; /* MQTT 5, 3.8.3.1 */
        struct client_answer *answer = &connection->subscribe;
        int r;

        answer->there = false;
        r = mosquitto_subscribe_multiple(
                connection->mosquitto, &answer->id, (int)subscription->count,
                (char *const *)(void *)subscription->filters, subscription->qos, options, NULL);
        if (r != MOSQ_ERR_SUCCESS)
                return refuse(connection, r, error);
        r = client_connection_await(connection, answer, "did not answer to the subscription",
                                    client_connection_deadline(timeout_ms), error);
        if (r != 0)
                return r;
        if (answer->count != subscription->count)
                return client_failure(MOSQ_ERR_PROTOCOL, 0, connection->name, error);
        memcpy(reasons, answer->reasons, answer->count);
        return 0;
}

static struct client_message *take_waiting(struct client_connection *connection)
{
        struct list *item = list_take_first(&connection->waiting);
        struct client_message *message;
        struct client_waiting *waiting;

        if (!item)
                return NULL;
        waiting = container_of(item, struct client_waiting, link);
        message = waiting->message;
        connection->waiting_bytes -= sizeof(*waiting) + client_message_size(message);
        free(waiting);
        return message;
}

int client_connection_receive(struct client_connection *connection, int timeout_ms,
                              struct client_message **ret, struct error *error)
{
        uint64_t deadline_ns = client_connection_deadline(timeout_ms);
        struct client_message *message;
        int r;

        while (!(message = take_waiting(connection))) {
                if (connection->end != 0)
                        return client_connection_ended(connection, error);
                r = client_connection_turn(connection, deadline_ns);
                if (r == -ETIMEDOUT && list_is_empty(&connection->waiting))
                        return error_set(error, r, "no message came in time");
                if (r < 0 && r != -ETIMEDOUT)
                        return r;
        }
        *ret = message;
        return 0;
}
