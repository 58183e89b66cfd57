/* Fuzzes what a host of modules in C is told, and how its handlers look at requests. */
#include "data/json.h"
#include "fuzz/fuzz.h"
#include "host/call.h"
#include "host/order.h"

#include <string.h>

enum { OUTPUT_MAX = 64 << 20 };

static const char *const names[] = {"pin",      "on",     "text",        "points",
                                    "",         "/",      "/points/0/x", "/points/1",
                                    "/a~1b/~0", "/a~1b/", "/~",          "/points/00000000001"};

/* Asks for everything, and puts what it gets. */
static int handle(struct pifleet_call *call)
{
        for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
                const char *text = pifleet_get_text(call, names[i], NULL);
                int64_t integer = pifleet_get_integer(call, names[i], -1);

                MUST(!text || pifleet_has(call, names[i]));
                MUST(!text || pifleet_count(call, names[i]) == 0);
                pifleet_put_text(call, names[i], text);
                pifleet_put_integer(call, names[i], integer);
                pifleet_put_number(call, names[i], pifleet_get_number(call, names[i], 0.5));
                pifleet_put_bool(call, names[i], pifleet_get_bool(call, names[i], true));
        }
        pifleet_put_json(call, "all", pifleet_request_text(call));
        return 0;
}

static void check_call(const struct host_order *order)
{
        AUTO_JSON cJSON *tree = NULL;
        struct host_outcome outcome;
        struct json_writer writer;
        struct host_call call;
        struct buffer out;

        buffer_init(&out, OUTPUT_MAX);
        json_writer_init(&writer, &out);
        json_write_object(&writer, NULL);
        host_call_run(&call, handle, order->command, order->request, &writer, &outcome);
        json_write_end(&writer);
        if (outcome.ok) {
                MUST(json_writer_error(&writer) == 0);
                MUST(json_parse(buffer_data(&out), buffer_length(&out), HOST_RESULT_DEPTH, &tree,
                                NULL) == 0);
        } else {
                MUST(outcome.message[0] != '\0');
        }
        host_call_done(&call);
        buffer_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
        struct host_order order;
        struct error error = {0};
        int r;

        r = host_order_decode((const char *)bytes, count, &order, &error);
        if (r < 0) {
                MUST(error.code == r && error.text[0] != '\0');
                return 0;
        }
        if (order.kind == HOST_ORDER_LOAD)
                MUST(order.module != NULL);
        else
                check_call(&order);
        host_order_done(&order);
        return 0;
}
