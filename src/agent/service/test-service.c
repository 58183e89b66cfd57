/* The room as a whole, where there is no bus. */
#include "agent/service/service.h"

#include "command/registry.h"
#include "command/request.h"
#include "data/json.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>

struct fixture {
        struct loop *loop;
        struct command_bus *events;
        struct command_registry *registry;
        struct command_session session;
        struct service *service;
        cJSON *reply; /* the last */
};

static char *patterns[] = {(char[]){"*.service"}};
static const struct service_config config = {.services = {patterns, 1}};

static void fixture_init(struct fixture *f)
{
        *f = (struct fixture){.session = {.id = 1, .transport = "test", .origin = "test"}};
        f->session.principal.role = COMMAND_ROLE_ADMIN;
        CHECK_EQ(setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1), 0);
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->events), 0);
        CHECK_EQ(command_registry_new(f->loop, f->events, &f->registry), 0);
}

static void fixture_done(struct fixture *f)
{
        service_free(f->service);
        cJSON_Delete(f->reply);
        command_registry_free(f->registry);
        command_bus_free(f->events);
        loop_free(f->loop);
}

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct fixture *f = owner;

        CHECK(!success);
        cJSON_Delete(f->reply);
        f->reply = NULL;
        CHECK_EQ(json_parse(json, length, JSON_DEPTH_MAX, &f->reply, NULL), 0);
}

/* Every command of the room is answered at once here. Returns retry_ms, -1 without. */
static int64_t check_refused(struct fixture *f, const char *text, const char *code)
{
        struct command_call call = {.session = &f->session, .on_reply = on_reply, .owner = f};
        struct command_request *pending;
        int64_t retry_ms = -1;

        CHECK_EQ(json_parse(text, strlen(text), JSON_DEPTH_MAX, &call.object, NULL), 0);
        call.received_ms = loop_now_ms(f->loop);
        command_dispatch(f->registry, &call, &pending);
        CHECK_NULL(pending);
        CHECK_TEXT(json_get_string(f->reply, "code"), code);
        json_get_integer(f->reply, "retry_ms", &retry_ms);
        return retry_ms;
}

TEST(attaching_is_whole_or_not_at_all_when_memory_is_short)
{
        struct error error;
        struct fixture f;
        size_t n = 0;
        bool failed;

        fixture_init(&f);
        do {
                int r;

                allocation_fail_at(++n);
                r = service_attach(f.registry, &config, &f.service, &error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                if (failed)
                        CHECK_NULL(command_registry_find(f.registry, "list_devices"));
        } while (failed);
        CHECK(n > 4);
        CHECK(command_registry_find(f.registry, "restart_pi") != NULL);
        fixture_done(&f);
}

TEST(a_bus_that_is_not_there_is_tried_again_ever_more_seldom)
{
        static const int64_t expected[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000};
        struct error error;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(service_attach(f.registry, &config, &f.service, &error), 0);
        for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
                int64_t retry_ms =
                        check_refused(&f, "{\"command\":\"list_devices\"}", "UNSUPPORTED");

                CHECK_EQ(retry_ms, expected[i]);
                CHECK(strstr(json_get_string(f.reply, "error"), "is systemd running"));
                /* Nothing is tried before that. */
                loop_advance_ms(f.loop, (uint64_t)retry_ms - 1);
                CHECK_EQ(check_refused(&f, "{\"command\":\"stop_device\",\"device\":\"a.service\"}",
                                       "UNSUPPORTED"),
                         1);
                loop_advance_ms(f.loop, 1);
        }
        fixture_done(&f);
}

TEST(after_a_stop_every_command_says_that_the_agent_stops)
{
        struct error error;
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(service_attach(f.registry, &config, &f.service, &error), 0);
        service_stop(f.service);
        service_stop(f.service);
        check_refused(&f, "{\"command\":\"list_devices\"}", "NOT_READY");
        check_refused(&f, "{\"command\":\"start_device\",\"device\":\"a.service\"}", "NOT_READY");
        check_refused(&f, "{\"command\":\"restart_device\",\"device\":\"a\"}", "NOT_READY");
        check_refused(&f, "{\"command\":\"restart_pi\"}", "NOT_READY");
        fixture_done(&f);
}
