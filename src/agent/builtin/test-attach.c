#include "agent/builtin/builtin.h"
#include "support/test.h"

#include <errno.h>

/* Linked with --wrap: allocations of the code under test come here. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static unsigned failing_in; /* the n-th allocation from now on fails, once; 0: none */

static bool fails(void)
{
        return failing_in > 0 && --failing_in == 0;
}

void *__wrap_malloc(size_t size)
{
        return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
        return fails() ? NULL : __real_calloc(count, size);
}

TEST(whichever_allocation_fails_nothing_is_left_behind)
{
        static const struct builtin_config config = {.proc_root = FIXTURES "/pi-4/proc",
                                                     .sys_root = FIXTURES "/pi-4/sys",
                                                     .etc_root = FIXTURES "/pi-4/etc"};
        struct builtin *builtin = NULL;
        struct command_registry *registry;
        struct command_bus *bus;
        struct loop *loop;
        unsigned nth = 0;
        int r;

        CHECK_EQ(loop_new_virtual(1000, &loop), 0);
        CHECK_EQ(command_bus_new(loop, &bus), 0);
        CHECK_EQ(command_registry_new(loop, bus, &registry), 0);
        do {
                struct error error = {0};

                CHECK_NULL(command_registry_next(registry, NULL));
                failing_in = ++nth;
                r = builtin_attach(registry, &config, &builtin, &error);
                if (r < 0) {
                        CHECK_EQ(r, -ENOMEM);
                        CHECK_EQ(error.code, -ENOMEM);
                        CHECK(strstr(error.text, "memory") != NULL);
                        CHECK_NULL(builtin);
                }
        } while (r < 0 && nth < 1000);
        failing_in = 0;
        CHECK_EQ(r, 0);
        CHECK(nth > 7); /* each command takes memory */
        CHECK(command_registry_find(registry, "ping") != NULL);
        builtin_free(builtin);
        CHECK_NULL(builtin_free(NULL));
        command_registry_free(registry);
        command_bus_free(bus);
        loop_free(loop);
}
