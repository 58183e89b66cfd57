/* Messages are made with sd-bus itself, over a socketpair that nobody reads. */
#include "agent/service/unit.h"

#include "base/attributes.h"
#include "base/buffer.h"

#include "support/allocation.h"
#include "support/test.h"

#include <errno.h>
#include <sys/socket.h>

struct fixture {
        sd_bus *bus;
        sd_bus_message *message;
        int peer;
};

static void fixture_init(struct fixture *f)
{
        int ends[2];

        *f = (struct fixture){.peer = -1};
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
        f->peer = ends[1];
        CHECK(sd_bus_new(&f->bus) >= 0);
        CHECK(sd_bus_set_fd(f->bus, ends[0], ends[0]) >= 0);
        CHECK(sd_bus_start(f->bus) >= 0);
}

static void new_message(struct fixture *f)
{
        sd_bus_message_unref(f->message);
        f->message = NULL;
        CHECK(sd_bus_message_new_signal(f->bus, &f->message, "/a", "a.b", "C") >= 0);
}

static void seal(struct fixture *f)
{
        CHECK(sd_bus_message_seal(f->message, 1, 0) >= 0);
        CHECK(sd_bus_message_rewind(f->message, 1) >= 0);
}

static void fixture_done(struct fixture *f)
{
        sd_bus_message_unref(f->message);
        sd_bus_close_unref(f->bus);
        close(f->peer);
}

static void append_unit(struct fixture *f, const char *name, const char *load, const char *active)
{
        CHECK(sd_bus_message_append(f->message, "(ssssssouso)", name, "What it is", load, active,
                                    "running", "", "/unit/path", 0, "", "/") >= 0);
}

/* A message with one array of three units. */
static void make_list(struct fixture *f)
{
        new_message(f);
        CHECK(sd_bus_message_open_container(f->message, 'a', "(ssssssouso)") >= 0);
        append_unit(f, "a.service", "loaded", "active");
        append_unit(f, "ghost.service", "not-found", "inactive");
        append_unit(f, "b.timer", "masked", "inactive");
        CHECK(sd_bus_message_close_container(f->message) >= 0);
        seal(f);
        CHECK(sd_bus_message_enter_container(f->message, 'a', "(ssssssouso)") > 0);
}

TEST(units_are_read_one_by_one_and_those_without_a_file_are_skipped)
{
        struct fixture f;
        struct unit unit;

        fixture_init(&f);
        make_list(&f);
        CHECK_EQ(unit_read(f.message, &unit), UNIT_READ);
        CHECK_TEXT(unit.name, "a.service");
        CHECK_TEXT(unit.description, "What it is");
        CHECK_TEXT(unit.active, "active");
        CHECK_TEXT(unit.state, "running");
        CHECK_TEXT(unit.path, "/unit/path");
        CHECK(unit.memory == UNIT_UNKNOWN && unit.since_us == UNIT_UNKNOWN);
        unit_done(&unit);
        CHECK_EQ(unit_read(f.message, &unit), UNIT_SKIPPED);
        CHECK_EQ(unit_read(f.message, &unit), UNIT_READ);
        CHECK_TEXT(unit.name, "b.timer");
        unit_done(&unit);
        CHECK_EQ(unit_read(f.message, &unit), 0);
        fixture_done(&f);
}

TEST(a_unit_of_another_form_is_refused)
{
        struct fixture f;
        struct unit unit;

        fixture_init(&f);
        new_message(&f);
        CHECK(sd_bus_message_append(f.message, "(ss)", "a.service", "text") >= 0);
        seal(&f);
        CHECK_EQ(unit_read(f.message, &unit), -EBADMSG);
        fixture_done(&f);
}

TEST(a_unit_is_read_whole_or_not_at_all_when_memory_is_short)
{
        struct fixture f;
        struct unit unit;
        size_t n = 0;
        bool failed;

        fixture_init(&f);
        do {
                int r;

                make_list(&f);
                allocation_fail_at(++n);
                r = unit_read(f.message, &unit);
                failed = allocation_end();
                CHECK_EQ(r, failed ? -ENOMEM : UNIT_READ);
                if (!failed)
                        unit_done(&unit);
        } while (failed);
        CHECK(n > 5);
        fixture_done(&f);
}

static struct unit unit_that_is(const char *name, const char *active)
{
        static char description[] = "d", state[] = "s";

        return (struct unit){.name = (char *)name,
                             .description = description,
                             .active = (char *)active,
                             .state = state,
                             .since_us = UNIT_UNKNOWN,
                             .memory = UNIT_UNKNOWN,
                             .cpu_ns = UNIT_UNKNOWN,
                             .restarts = UNIT_UNKNOWN};
}

TEST(since_when_is_asked_as_its_state_demands)
{
        static const char *const cases[][2] = {
                {"active", "ActiveEnterTimestamp"},      {"reloading", "ActiveEnterTimestamp"},
                {"inactive", "InactiveEnterTimestamp"},  {"failed", "InactiveEnterTimestamp"},
                {"activating", "InactiveExitTimestamp"}, {"deactivating", "ActiveExitTimestamp"},
        };
        const char *interface, *name;

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct unit unit = unit_that_is("a.service", cases[i][0]);

                CHECK(unit_property_of(&unit, UNIT_SINCE, &interface, &name));
                CHECK_TEXT(interface, "org.freedesktop.systemd1.Unit");
                CHECK_TEXT(name, cases[i][1]);
        }
}

TEST(only_what_a_unit_can_have_is_asked_for)
{
        struct unit running = unit_that_is("a.service", "active");
        struct unit stopped = unit_that_is("a.service", "inactive");
        struct unit timer = unit_that_is("a.timer", "active");
        const char *interface, *name;

        CHECK(unit_property_of(&running, UNIT_MEMORY, &interface, &name));
        CHECK_TEXT(name, "MemoryCurrent");
        CHECK_TEXT(interface, "org.freedesktop.systemd1.Service");
        CHECK(unit_property_of(&running, UNIT_CPU, &interface, &name));
        CHECK_TEXT(name, "CPUUsageNSec");
        CHECK(!unit_property_of(&stopped, UNIT_MEMORY, &interface, &name));
        CHECK(!unit_property_of(&stopped, UNIT_CPU, &interface, &name));
        CHECK(unit_property_of(&stopped, UNIT_RESTARTS, &interface, &name));
        CHECK_TEXT(name, "NRestarts");
        CHECK(!unit_property_of(&timer, UNIT_MEMORY, &interface, &name));
        CHECK(!unit_property_of(&timer, UNIT_RESTARTS, &interface, &name));
        CHECK(unit_property_of(&timer, UNIT_SINCE, &interface, &name));
}

static int read_property(struct fixture *f, struct unit *unit, enum unit_property property,
                         const char *type, uint64_t value)
{
        new_message(f);
        if (type[0] == 't')
                CHECK(sd_bus_message_append(f->message, "v", "t", value) >= 0);
        else if (type[0] == 'u')
                CHECK(sd_bus_message_append(f->message, "v", "u", (uint32_t)value) >= 0);
        else
                CHECK(sd_bus_message_append(f->message, "v", "s", "text") >= 0);
        seal(f);
        return unit_property_read(unit, property, f->message);
}

static void check_json(const struct unit *unit, const char *expected)
{
        struct json_writer writer;
        struct buffer out;

        buffer_init(&out, 4096);
        json_writer_init(&writer, &out);
        json_write_object(&writer, NULL);
        unit_write(unit, &writer);
        json_write_end(&writer);
        CHECK_EQ(json_writer_error(&writer), 0);
        CHECK_EQ(buffer_append(&out, "", 1), 0);
        CHECK_TEXT(buffer_data(&out), expected);
        buffer_done(&out);
}

TEST(properties_become_seconds_and_bytes)
{
        struct unit unit = unit_that_is("a.service", "active");
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(read_property(&f, &unit, UNIT_SINCE, "t", 1700000000250000), 0);
        CHECK_EQ(read_property(&f, &unit, UNIT_MEMORY, "t", 4096), 0);
        CHECK_EQ(read_property(&f, &unit, UNIT_CPU, "t", 2500000000), 0);
        CHECK_EQ(read_property(&f, &unit, UNIT_RESTARTS, "u", 3), 0);
        check_json(&unit, "{\"name\":\"a.service\",\"description\":\"d\",\"active\":\"active\","
                          "\"state\":\"s\",\"since\":1700000000.25,\"memory\":4096,\"cpu\":2.5,"
                          "\"restarts\":3}");
        fixture_done(&f);
}

TEST(what_systemd_does_not_know_is_null)
{
        struct unit unit = unit_that_is("a.service", "active");
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(read_property(&f, &unit, UNIT_SINCE, "t", 0), 0);
        CHECK_EQ(read_property(&f, &unit, UNIT_MEMORY, "t", UINT64_MAX), 0);
        CHECK_EQ(read_property(&f, &unit, UNIT_CPU, "t", UINT64_MAX), 0);
        check_json(&unit, "{\"name\":\"a.service\",\"description\":\"d\",\"active\":\"active\","
                          "\"state\":\"s\",\"since\":null,\"memory\":null,\"cpu\":null,"
                          "\"restarts\":null}");
        fixture_done(&f);
}

TEST(a_property_of_another_type_changes_nothing)
{
        struct unit unit = unit_that_is("a.service", "active");
        struct fixture f;

        fixture_init(&f);
        for (enum unit_property property = 0; property < UNIT_PROPERTIES; property++)
                CHECK_EQ(read_property(&f, &unit, property, "s", 0), -EBADMSG);
        CHECK_EQ(read_property(&f, &unit, UNIT_RESTARTS, "t", 1), -EBADMSG);
        CHECK_EQ(read_property(&f, &unit, UNIT_MEMORY, "u", 1), -EBADMSG);
        CHECK(unit.since_us == UNIT_UNKNOWN && unit.memory == UNIT_UNKNOWN &&
              unit.cpu_ns == UNIT_UNKNOWN && unit.restarts == UNIT_UNKNOWN);
        fixture_done(&f);
}
