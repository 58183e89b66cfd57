#include "client/rpc.h"

#include "base/clock.h"
#include "client/failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { CORRELATION_SIZE = 16, TOPIC_MAX = CLIENT_ID_MAX + 2048 };

static int left_ms(uint64_t deadline_ns)
{
        uint64_t now = clock_monotonic_ns();
        uint64_t left = deadline_ns > now ? (deadline_ns - now - 1) / 1000000 + 1 : 0;

        return left < INT32_MAX ? (int)left : INT32_MAX;
}

static int listen_at(struct client_connection *connection, const char *topic, uint64_t deadline_ns,
                     struct error *error)
{
        const struct client_subscription subscription = {.filters = &topic, .count = 1, .qos = 1};
        uint8_t reason = 0;
        int r = client_connection_subscribe(connection, &subscription, &reason,
                                            left_ms(deadline_ns), error);

        if (r == 0 && reason >= CLIENT_REASON_REFUSED)
                r = client_failure_reason(reason, "the broker refused the subscription to replies",
                                          NULL, error);
        return r;
}

static int await_reply(struct client_connection *connection, const struct client_message *request,
                       uint64_t deadline_ns, struct client_message **ret, struct error *error)
{
        for (;;) {
                AUTO(client_message) struct client_message *message = NULL;
                int r = client_connection_receive(connection, left_ms(deadline_ns), &message,
                                                  error);

                if (r == -ETIMEDOUT)
                        return error_set(error, r, "no reply came in time over %s",
                                         client_connection_name(connection));
                if (r != 0)
                        return r;
                if (message->correlation_length == CORRELATION_SIZE &&
                    memcmp(message->correlation, request->correlation, CORRELATION_SIZE) == 0) {
                        *ret = TAKE(message);
                        return 0;
                }
        }
}

int client_rpc_call(struct client_connection *connection, const struct client_rpc *rpc,
                    int timeout_ms, struct client_message **ret, struct error *error)
{
        uint64_t deadline_ns = clock_monotonic_ns() + (uint64_t)timeout_ms * 1000000;
        unsigned char correlation[CORRELATION_SIZE];
        char topic[TOPIC_MAX];
        const struct client_message request = {
                .topic = rpc->topic,
                .payload = rpc->payload,
                .payload_length = rpc->payload_length,
                .qos = 1,
                .has_expiry = true,
                .expiry_seconds = ((uint32_t)timeout_ms + 999) / 1000,
                .response_topic = topic,
                .correlation = correlation,
                .correlation_length = sizeof(correlation),
        };
        int r;

        if (getrandom(correlation, sizeof(correlation), 0) != (ssize_t)sizeof(correlation))
                return error_set(error, -EIO, "the system has no random numbers");
        r = snprintf(topic, sizeof(topic), "%s/%s/%02x%02x%02x%02x", rpc->response_prefix,
                     client_connection_id(connection), correlation[0], correlation[1],
                     correlation[2], correlation[3]);
        if (r < 0 || (size_t)r >= sizeof(topic))
                return error_set(error, -EINVAL, "the prefix of replies is too long");
        r = listen_at(connection, topic, deadline_ns, error);
        if (r == 0)
                r = client_connection_publish(connection, &request, left_ms(deadline_ns), error);
        if (r == CLIENT_REASON_NOBODY)
                return error_set(error, r, "nobody has subscribed to %s at %s", rpc->topic,
                                 client_connection_name(connection));
        return r == 0 ? await_reply(connection, &request, deadline_ns, ret, error) : r;
}
