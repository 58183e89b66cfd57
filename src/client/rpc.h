/* client/rpc.h - a request and its reply: Response Topic and Correlation Data (MQTT 5, 4.10). */
#pragma once

#include "client/connection.h"

struct client_rpc {
        const char *topic;           /* where requests go */
        const char *response_prefix; /* replies come to PREFIX/CLIENTID/NUMBER */
        const void *payload;
        size_t payload_length;
};

/* Subscribes to a Response Topic of its own, publishes with QoS 1, and waits for the message
 * with its Correlation Data; the broker drops a request that nobody took by then. `timeout_ms`
 * has an end here (no -1). Results as of client_connection_publish(); CLIENT_REASON_NOBODY: nobody
 * is there who would reply, at once. 0: *ret is the reply, the caller's. */
int client_rpc_call(struct client_connection *connection, const struct client_rpc *rpc,
                    int timeout_ms, struct client_message **ret, struct error *error);
