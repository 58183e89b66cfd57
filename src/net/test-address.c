#include "net/address.h"

#include "base/attributes.h"
#include "net/budget.h"
#include "support/test.h"

#include <errno.h>

TEST(numeric_addresses_are_parsed_and_written)
{
        static const struct {
                const char *host;
                uint16_t port;
                const char *text; /* NULL: refused */
                bool loopback;
        } cases[] = {
                {"0.0.0.0", 3000, "0.0.0.0:3000", false},
                {"127.0.0.1", 0, "127.0.0.1:0", true},
                {"127.9.9.9", 1, "127.9.9.9:1", true},
                {"localhost", 65535, "127.0.0.1:65535", true},
                {"192.0.2.1", 80, "192.0.2.1:80", false},
                {"::", 3000, "[::]:3000", false},
                {"::1", 3000, "[::1]:3000", true},
                {"2001:db8::1", 443, "[2001:db8::1]:443", false},
                {"::ffff:192.0.2.1", 5, "192.0.2.1:5", false},
                {"::ffff:127.0.0.1", 5, "127.0.0.1:5", true},
                {"fe80::1%lo", 5, "[fe80::1%lo]:5", false},
                {"fe80::1%nowhere", 5, NULL, false},
                {"example.org", 80, NULL, false},
                {"", 80, NULL, false},
                {"127.1", 80, NULL, false},
                {"1.2.3.4.5", 80, NULL, false},
                {"256.0.0.1", 80, NULL, false},
                {"[::1]", 80, NULL, false},
                {":::", 80, NULL, false},
                {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", 80, NULL, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                char text[NET_ADDRESS_TEXT_MAX];
                struct net_address address;
                struct error error = {0};
                int r = net_address_parse(cases[i].host, cases[i].port, &address, &error);

                if (!cases[i].text) {
                        CHECK_EQ(r, -EINVAL);
                        CHECK(strlen(error.text) > 20);
                        continue;
                }
                CHECK_EQ(r, 0);
                CHECK_TEXT(net_address_text(&address, text), cases[i].text);
                CHECK_EQ(net_address_port(&address), cases[i].port);
                CHECK_EQ(net_address_is_loopback(&address), cases[i].loopback);
        }
}

TEST(unix_addresses_are_written_whatever_their_bytes)
{
        char text[NET_ADDRESS_TEXT_MAX], path[109];
        struct net_address address;

        CHECK_EQ(net_address_local("/run/pifleet/agent.sock", &address), 0);
        CHECK_TEXT(net_address_text(&address, text), "unix:/run/pifleet/agent.sock");
        CHECK(net_address_is_loopback(&address));
        CHECK_EQ(net_address_port(&address), 0);

        /* A peer that did not bind. */
        address.length = sizeof(sa_family_t);
        CHECK_TEXT(net_address_text(&address, text), "unix:");

        /* An abstract name, of bytes that could forge a log line. */
        memcpy(address.local.sun_path, "\0a\nb\0c", 6);
        address.length = sizeof(sa_family_t) + 6;
        CHECK_TEXT(net_address_text(&address, text), "unix:@a?b@c");

        /* The longest, which has no NUL. */
        memset(address.local.sun_path, 'x', sizeof(address.local.sun_path));
        address.length = sizeof(address.local);
        CHECK_EQ(strlen(net_address_text(&address, text)), 5 + sizeof(address.local.sun_path));

        memset(path, 'x', 108);
        path[108] = '\0';
        CHECK_EQ(net_address_local(path, &address), -ENAMETOOLONG);
        CHECK_EQ(net_address_local("", &address), -ENAMETOOLONG);
        path[107] = '\0';
        CHECK_EQ(net_address_local(path, &address), 0);
}

static void check_kept(const struct net_address *address, const char *expected)
{
        char text[NET_ADDRESS_TEXT_MAX];
        struct net_address again;
        struct net_peer peer;

        net_peer_init(&peer, address);
        net_peer_address(&peer, &again);
        CHECK_TEXT(net_address_text(&again, text), expected);
        CHECK_EQ(net_address_origin(&again), net_address_origin(address));
        CHECK_EQ(net_address_is_loopback(&again), net_address_is_loopback(address));
}

TEST(what_is_kept_of_a_peer_is_its_address_but_no_path)
{
        struct net_address address;

        CHECK_EQ(net_address_parse("192.0.2.1", 80, &address, NULL), 0);
        check_kept(&address, "192.0.2.1:80");
        CHECK_EQ(net_address_parse("fe80::1%lo", 5, &address, NULL), 0);
        check_kept(&address, "[fe80::1%lo]:5");
        CHECK_EQ(net_address_local("/tmp/x", &address), 0);
        check_kept(&address, "unix:");
        address = (struct net_address){0};
        check_kept(&address, "unknown");
}

static uint64_t origin(const char *host)
{
        struct net_address address;

        CHECK_EQ(net_address_parse(host, 1, &address, NULL), 0);
        return net_address_origin(&address);
}

TEST(an_origin_is_an_address_or_a_64_bit_prefix)
{
        struct net_address local;

        CHECK(origin("192.0.2.1") == origin("::ffff:192.0.2.1"));
        CHECK(origin("192.0.2.1") != origin("192.0.2.2"));
        CHECK(origin("2001:db8:1:2::1") == origin("2001:db8:1:2:ffff::9"));
        CHECK(origin("2001:db8:1:2::1") != origin("2001:db8:1:3::1"));
        CHECK_EQ(net_address_local("/tmp/x", &local), 0);
        CHECK(net_address_origin(&local) != origin("0.0.0.0"));
        CHECK(net_address_origin(&local) != origin("::1"));
}

TEST(a_budget_gives_what_it_has_and_says_when_it_is_tight)
{
        struct net_budget budget;

        net_budget_init(&budget, 100);
        CHECK_EQ(net_budget_take(&budget, 75), 0);
        CHECK(!net_budget_is_tight(&budget));
        CHECK_EQ(net_budget_take(&budget, 26), -ENOBUFS);
        CHECK_EQ(net_budget_take(&budget, SIZE_MAX), -ENOBUFS);
        CHECK_EQ(budget.used, 75);
        CHECK_EQ(budget.refused, 2);
        CHECK_EQ(net_budget_take(&budget, 25), 0);
        CHECK(net_budget_is_tight(&budget));
        net_budget_give(&budget, 90);
        CHECK_EQ(budget.used, 10);
        CHECK_EQ(budget.peak, 100);
}
