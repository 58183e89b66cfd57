/* host/order.h - what the agent wants of a host: decoded, and checked.
 *
 *     {"load":{"module":"blink.c","self_test":true}}
 *     {"call":17,"command":"blink","request":{...}} */
#pragma once

#include "base/error.h"
#include "data/json.h"

#include <stdbool.h>
#include <stdint.h>

enum host_order_kind { HOST_ORDER_LOAD, HOST_ORDER_CALL };

/* Texts and `request` point into `tree`. */
struct host_order {
        enum host_order_kind kind;
        cJSON *tree; /* owned */
        const char *module;
        bool self_test;
        int64_t call;
        const char *command;
        const cJSON *request; /* an object */
};

/* -EBADMSG and others of json_parse(): not of the protocol; -ENOMEM. */
int host_order_decode(const char *json, size_t length, struct host_order *ret, struct error *error);
void host_order_done(struct host_order *order);
