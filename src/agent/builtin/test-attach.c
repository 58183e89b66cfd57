#include "agent/builtin/builtin.h"
#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>

TEST(whichever_allocation_fails_nothing_is_left_behind)
{
        static const struct builtin_config config = {.proc_root = FIXTURES "/pi-4/proc",
                                                     .sys_root = FIXTURES "/pi-4/sys",
                                                     .etc_root = FIXTURES "/pi-4/etc"};
        struct builtin *builtin = NULL;
        struct command_registry *registry;
        struct command_bus *bus;
        struct loop *loop;
        size_t nth = 0;
        bool failed;
        int r;

        CHECK_EQ(loop_new_virtual(1000, &loop), 0);
        CHECK_EQ(command_bus_new(loop, &bus), 0);
        CHECK_EQ(command_registry_new(loop, bus, &registry), 0);
        do {
                struct error error = {0};

                CHECK_NULL(command_registry_next(registry, NULL));
                allocation_fail_at(++nth);
                r = builtin_attach(registry, &config, &builtin, &error);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                if (failed) {
                        CHECK_EQ(error.code, -ENOMEM);
                        CHECK(strstr(error.text, "memory") != NULL);
                        CHECK_NULL(builtin);
                }
        } while (failed);
        CHECK(nth > 7); /* each command takes memory */
        CHECK(command_registry_find(registry, "ping") != NULL);
        builtin_free(builtin);
        CHECK_NULL(builtin_free(NULL));
        command_registry_free(registry);
        command_bus_free(bus);
        loop_free(loop);
}
