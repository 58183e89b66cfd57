#include "agent/listen-address.h"

#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
        struct agent_config config;
        int lines_fd; /* what the log wrote */
        struct log *log;
        struct net_address address;
        struct error error;
};

static void fixture_init(struct fixture *f)
{
        char path[32];

        *f = (struct fixture){.lines_fd = memfd_create("log", MFD_CLOEXEC)};
        CHECK(f->lines_fd >= 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", f->lines_fd);
        CHECK_EQ(log_new(path, LOG_LEVEL_WARNING, &f->log), 0);
}

static void fixture_done(struct fixture *f)
{
        log_free(f->log);
        close(f->lines_fd);
}

static int find(struct fixture *f, const char *section, const char *host)
{
        return listen_address_find(&f->config, f->log, section, host, 1883, &f->address, &f->error);
}

static bool has_warned(const struct fixture *f)
{
        struct stat status;

        CHECK_EQ(fstat(f->lines_fd, &status), 0);
        return status.st_size > 0;
}

TEST(the_network_is_for_those_who_are_walled_off)
{
        static const struct {
                const char *section, *host, *expected;
                size_t tokens, users;
                int guest;
                bool warns;
        } cases[] = {
                {"command", "0.0.0.0", "0.0.0.0:1883", 1, 0, GATE_GUEST_NONE, false},
                {"command", "localhost", "127.0.0.1:1883", 0, 0, GATE_GUEST_NONE, false},
                {"command", "::1", "[::1]:1883", 0, 0, GATE_GUEST_NONE, false},
                {"command", "0.0.0.0", "127.0.0.1:1883", 0, 0, GATE_GUEST_NONE, true},
                {"http", "::", "127.0.0.1:1883", 0, 0, GATE_GUEST_NONE, true},
                {"mqtt", "0.0.0.0", "127.0.0.1:1883", 0, 0, GATE_GUEST_NONE, true},
                /* Users are for MQTT, and no wall before the others. */
                {"mqtt", "0.0.0.0", "0.0.0.0:1883", 0, 1, GATE_GUEST_NONE, false},
                {"mqtt", "0.0.0.0", "0.0.0.0:1883", 0, 0, GATE_GUEST_VIEWER, false},
                {"http", "0.0.0.0", "127.0.0.1:1883", 0, 1, GATE_GUEST_VIEWER, true},
                {"command", "0.0.0.0", "127.0.0.1:1883", 0, 1, GATE_GUEST_VIEWER, true},
        };
        char text[NET_ADDRESS_TEXT_MAX];

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                struct fixture f;

                fixture_init(&f);
                f.config.access.tokens.count = cases[i].tokens;
                f.config.mqtt.users.count = cases[i].users;
                f.config.mqtt.guest = cases[i].guest;
                CHECK_EQ(find(&f, cases[i].section, cases[i].host), 0);
                CHECK_TEXT(net_address_text(&f.address, text), cases[i].expected);
                if (has_warned(&f) != cases[i].warns)
                        FAIL("case %zu", i);
                fixture_done(&f);
        }
}

TEST(loopback_is_no_wall_behind_a_proxy)
{
        struct fixture f;

        fixture_init(&f);
        f.config.access.mode = ACCESS_MODE_OPEN;
        f.config.mqtt.proxies.count = 1;
        CHECK_EQ(find(&f, "mqtt", "127.0.0.1"), -EACCES);
        CHECK(strstr(f.error.text, "access.mode is open") != NULL);
        CHECK_EQ(find(&f, "http", "127.0.0.1"), 0);
        CHECK_EQ(find(&f, "command", "127.0.0.1"), 0);
        f.config.http.proxies.count = 1;
        CHECK_EQ(find(&f, "http", "127.0.0.1"), -EACCES);
        CHECK(!has_warned(&f));
        fixture_done(&f);
}

TEST(an_open_network_that_is_wanted_is_warned_of)
{
        struct fixture f;
        char text[NET_ADDRESS_TEXT_MAX];

        fixture_init(&f);
        f.config.access.mode = ACCESS_MODE_OPEN;
        f.config.access.allow_open_network = true;
        CHECK_EQ(find(&f, "http", "0.0.0.0"), 0);
        CHECK_TEXT(net_address_text(&f.address, text), "0.0.0.0:1883");
        CHECK(has_warned(&f));
        fixture_done(&f);
}

TEST(a_host_that_is_no_address_is_named_with_its_section)
{
        struct fixture f;

        fixture_init(&f);
        CHECK_EQ(find(&f, "mqtt", "example.org"), -EINVAL);
        CHECK_EQ(strncmp(f.error.text, "mqtt.host: ", 11), 0);
        fixture_done(&f);
}

TEST(a_socket_is_where_its_path_says_if_there_is_one)
{
        struct net_address address;
        struct error error;
        char text[NET_ADDRESS_TEXT_MAX], path[200];

        CHECK_EQ(listen_address_find_local("command", NULL, &address, &error), 1);
        CHECK_EQ(listen_address_find_local("command", "", &address, &error), 1);
        CHECK_EQ(listen_address_find_local("command", "/run/x", &address, &error), 0);
        CHECK_TEXT(net_address_text(&address, text), "unix:/run/x");
        memset(path, 'x', sizeof(path) - 1);
        path[sizeof(path) - 1] = '\0';
        CHECK_EQ(listen_address_find_local("mqtt", path, &address, &error), -ENAMETOOLONG);
        CHECK_EQ(strncmp(error.text, "mqtt.socket: xxx", 16), 0);
}
