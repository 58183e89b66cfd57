#include "host/order.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

static int decode(const char *json, struct host_order *ret)
{
        struct error error;

        return host_order_decode(json, strlen(json), ret, &error);
}

TEST(a_load_has_a_module_and_whether_it_is_tested)
{
        struct host_order order;

        CHECK_EQ(decode("{\"load\":{\"module\":\"blink.c\",\"self_test\":true}}", &order), 0);
        CHECK_EQ(order.kind, HOST_ORDER_LOAD);
        CHECK_TEXT(order.module, "blink.c");
        CHECK(order.self_test);
        host_order_done(&order);
}

TEST(a_call_has_a_number_a_command_and_a_request)
{
        struct host_order order;

        CHECK_EQ(decode("{\"call\":17,\"command\":\"blink\",\"request\":{\"pin\":4}}", &order), 0);
        CHECK_EQ(order.kind, HOST_ORDER_CALL);
        CHECK_EQ(order.call, 17);
        CHECK_TEXT(order.command, "blink");
        CHECK_EQ(json_get(order.request, "pin")->valueint, 4);
        host_order_done(&order);
}

TEST(anything_else_is_refused_and_the_output_untouched)
{
        static const char *const others[] = {
                "{}",
                "[]",
                "7",
                "",
                "{\"load\":{}}",
                "{\"load\":7}",
                "{\"load\":{\"module\":\"x\"}}",
                "{\"load\":{\"module\":7,\"self_test\":true}}",
                "{\"load\":{\"module\":\"x\",\"self_test\":1}}",
                "{\"call\":1,\"command\":\"a\"}",
                "{\"call\":1,\"command\":7,\"request\":{}}",
                "{\"call\":1.5,\"command\":\"a\",\"request\":{}}",
                "{\"call\":-1,\"command\":\"a\",\"request\":{}}",
                "{\"call\":1,\"command\":\"a\",\"request\":[]}",
        };
        struct host_order order = {.call = 42};

        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
                CHECK_EQ(decode(others[i], &order), -EBADMSG);
        CHECK_EQ(order.call, 42);
        CHECK_NULL(order.tree);
}

TEST(without_memory_there_is_no_order)
{
        struct host_order order;
        bool failed;
        size_t n = 0;

        cJSON_InitHooks(&(cJSON_Hooks){malloc, free});
        do {
                int r;

                allocation_fail_at(++n);
                r = decode("{\"call\":1,\"command\":\"a\",\"request\":{\"x\":[\"y\"]}}", &order);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                if (r == 0)
                        host_order_done(&order);
        } while (failed);
        CHECK(n > 4);
        cJSON_InitHooks(NULL);
}
