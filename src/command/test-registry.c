#include "command/registry-fixture.h"

#include "support/allocation.h"

#include <errno.h>

TEST(a_deployed_command_covers_an_updatable_one_until_it_is_removed)
{
        static const struct command led[] = {
                {.name = "led_on", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED}};
        static const struct command ping[] = {
                {.name = "camera", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED},
                {.name = "ping", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED}};
        struct fixture f;
        struct error error;

        fixture_open(&f);
        CHECK_EQ(command_registry_add(f.registry, led, 1, "handlers/led.py", &f, &error), 0);
        ask(&f, "{\"command\":\"led_on\"}");
        CHECK_TEXT(f.ran, "other");
        CHECK_EQ(command_registry_add(f.registry, led, 1, "handlers/x.py", &f, &error), -EEXIST);
        command_registry_remove(f.registry, "handlers/led.py");
        ask(&f, "{\"command\":\"led_on\",\"pin\":2}");
        CHECK_TEXT(f.ran, "led_on");

        /* A protected name: refused, and nothing of the module stays behind. */
        CHECK_EQ(command_registry_add(f.registry, ping, 2, "handlers/p.py", &f, &error), -EEXIST);
        CHECK(strstr(error.text, "belongs to builtin") != NULL);
        CHECK_NULL(command_registry_find(f.registry, "camera"));
        fixture_close(&f);
}

static const struct command first_version[] = {
        {.name = "camera", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED, .description = "1"},
        {.name = "led_on", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED},
        {.name = "old", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED}};
static const struct command second_version[] = {
        {.name = "camera", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED, .description = "2"},
        {.name = "led_on", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED},
        {.name = "new", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED},
        {.name = "newer", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED}};

static int replace(struct fixture *f, const struct command *these, size_t count)
{
        return command_registry_replace(f->registry, these, count, "handlers/c.py", f, NULL);
}

/* What "camera" is described as; "": there is none. */
static const char *description(const struct fixture *f)
{
        const struct command_entry *entry = command_registry_find(f->registry, "camera");

        return entry ? command_entry_definition(entry)->description : "";
}

TEST(the_commands_of_a_source_are_replaced_all_or_none)
{
        static const struct command taken[] = {
                {.name = "camera", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED},
                {.name = "fresh", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED},
                {.name = "ping", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED}};
        static const struct command twice[] = {
                {.name = "fresh", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED},
                {.name = "fresh", .run = run_other, .layer = COMMAND_LAYER_DEPLOYED}};
        struct fixture f;

        fixture_open(&f);
        CHECK_EQ(replace(&f, first_version, ARRAY_SIZE(first_version)), 0);
        CHECK_EQ(replace(&f, second_version, ARRAY_SIZE(second_version)), 0);
        CHECK_TEXT(description(&f), "2");
        CHECK_NULL(command_registry_find(f.registry, "old"));
        CHECK(command_registry_find(f.registry, "newer") != NULL);

        CHECK_EQ(replace(&f, taken, ARRAY_SIZE(taken)), -EEXIST);
        CHECK_EQ(replace(&f, twice, ARRAY_SIZE(twice)), -EEXIST);
        CHECK_TEXT(description(&f), "2");
        CHECK_NULL(command_registry_find(f.registry, "fresh"));
        CHECK(command_registry_find(f.registry, "newer") != NULL);

        /* What it covered is still below it. */
        ask(&f, "{\"command\":\"led_on\"}");
        CHECK_TEXT(f.ran, "other");
        CHECK_EQ(replace(&f, NULL, 0), 0);
        CHECK_NULL(command_registry_find(f.registry, "camera"));
        ask(&f, "{\"command\":\"led_on\",\"pin\":2}");
        CHECK_TEXT(f.ran, "led_on");
        fixture_close(&f);
}

TEST(without_memory_the_commands_of_a_source_stay)
{
        struct fixture f;
        bool failed;
        size_t n = 0;
        int r;

        fixture_open(&f);
        CHECK_EQ(replace(&f, first_version, ARRAY_SIZE(first_version)), 0);
        do {
                allocation_fail_at(++n);
                r = replace(&f, second_version, ARRAY_SIZE(second_version));
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                CHECK_TEXT(description(&f), failed ? "1" : "2");
                CHECK_EQ(command_registry_find(f.registry, "old") != NULL, failed);
                CHECK_EQ(command_registry_find(f.registry, "new") != NULL, !failed);
        } while (failed);
        CHECK(n > ARRAY_SIZE(second_version));
        fixture_close(&f);
}

TEST(names_and_schemas_are_checked_when_they_are_added)
{
        static const struct command bad[] = {
                {.name = "", .run = run_other},
                {.name = "Ping", .run = run_other},
                {.name = "1st", .run = run_other},
                {.name = "a b", .run = run_other},
                {.name = "a-b", .run = run_other},
                {.name = "a2345678901234567890123456789012345678901234567890123456789012345",
                 .run = run_other},
                {.name = "x", .run = run_other, .schema = "{\"type\":\"nonsense\"}"},
                {.name = "x", .run = run_other, .schema = "{"},
        };
        struct fixture f;
        struct error error;

        fixture_open(&f);
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                CHECK(command_registry_add(f.registry, &bad[i], 1, "test", &f, &error) < 0);
        CHECK_NULL(command_registry_find(f.registry, "x"));
        fixture_close(&f);
}

TEST(commands_are_listed_in_the_order_of_their_names)
{
        struct fixture f;
        const struct command_entry *entry = NULL;
        char names[256] = "";

        fixture_open(&f);
        while ((entry = command_registry_next(f.registry, entry))) {
                strcat(names, command_entry_definition(entry)->name);
                strcat(names, " ");
        }
        CHECK_TEXT(names, "auth fault led_on ping wait ");
        fixture_close(&f);
}

TEST(a_registry_without_memory_says_so_and_holds_nothing)
{
        struct command_registry *registry;
        struct fixture f;
        bool failed;
        size_t n = 0;
        int r;

        fixture_open(&f);
        do {
                registry = NULL;
                allocation_fail_at(++n);
                r = command_registry_new(f.loop, f.bus, &registry);
                if (r == 0)
                        r = command_registry_add(registry, fixture_commands, FIXTURE_COMMANDS,
                                                 "test", &f, NULL);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : 0);
                if (failed && registry)
                        CHECK_NULL(command_registry_next(registry, NULL));
                command_registry_free(registry);
        } while (failed);
        CHECK(n > FIXTURE_COMMANDS);
        fixture_close(&f);
}
