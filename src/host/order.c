#include "host/order.h"

#include <errno.h>

static int decode_load(const cJSON *load, struct host_order *order)
{
        order->kind = HOST_ORDER_LOAD;
        order->module = json_get_string(load, "module");
        return order->module && json_get_bool(load, "self_test", &order->self_test) ? 0 : -EBADMSG;
}

static int decode_call(const cJSON *tree, struct host_order *order)
{
        order->kind = HOST_ORDER_CALL;
        order->command = json_get_string(tree, "command");
        order->request = json_get(tree, "request");
        if (!json_get_integer(tree, "call", &order->call) || order->call < 0)
                return -EBADMSG;
        return order->command && cJSON_IsObject(order->request) ? 0 : -EBADMSG;
}

int host_order_decode(const char *json, size_t length, struct host_order *ret, struct error *error)
{
        struct host_order order = {0};
        AUTO_JSON cJSON *tree = NULL;
        const cJSON *load;
        int r;

        r = json_parse(json, length, JSON_DEPTH_MAX, &tree, error);
        if (r < 0)
                return r;
        load = json_get(tree, "load");
        r = load ? decode_load(load, &order) : decode_call(tree, &order);
        if (r < 0)
                return error_set(error, r, "neither a load nor a call");
        order.tree = TAKE(tree);
        *ret = order;
        return 0;
}

void host_order_done(struct host_order *order)
{
        cJSON_Delete(order->tree);
        order->tree = NULL;
}
