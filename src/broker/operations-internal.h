/* broker/operations-internal.h - the operations, and the clients that they show. For this room. */
#pragma once

#include "base/buffer.h"
#include "broker/events.h"
#include "broker/operations.h"
#include "http/exchange.h"

struct broker_operations {
        struct loop *loop;
        struct log *log;
        struct broker_doors *doors; /* NULL: nobody has a login */
        struct mqtt_broker *broker;
        bool local_admin;
        enum broker_metrics metrics;
        struct buffer text; /* of the answer that is being written */
        struct list visits; /* whose passwords are being verified */
        struct broker_events events;
};

/* Handlers of requests that may be answered. */
typedef void broker_operation_fn(struct broker_operations *operations,
                                 struct http_exchange *exchange);
broker_operation_fn broker_list_clients, broker_show_client, broker_end_client;
/* The whole answer in operations->text, whose error is `r`. */
void broker_operations_answer(struct broker_operations *operations, struct http_exchange *exchange,
                              int r, const char *type);
