#include "net/networks.h"

#include "base/attributes.h"
#include "support/test.h"

#include <errno.h>

static bool is_in(const char *network, const char *address)
{
        char *items[] = {(char *)(uintptr_t)network};
        struct net_address parsed;

        CHECK_EQ(net_networks_check(items, 1, NULL), 0);
        CHECK_EQ(net_address_parse(address, 1, &parsed, NULL), 0);
        return net_networks_have(items, 1, &parsed);
}

TEST(addresses_are_in_their_networks_and_in_no_others)
{
        CHECK(is_in("192.0.2.7", "192.0.2.7"));
        CHECK(!is_in("192.0.2.7", "192.0.2.6"));
        CHECK(is_in("192.0.2.0/24", "192.0.2.255"));
        CHECK(!is_in("192.0.2.0/24", "192.0.3.0"));
        CHECK(is_in("192.0.2.128/25", "192.0.2.129"));
        CHECK(!is_in("192.0.2.128/25", "192.0.2.127"));
        CHECK(is_in("0.0.0.0/0", "203.0.113.9"));
        CHECK(!is_in("0.0.0.0/0", "fd00::1"));
        CHECK(is_in("::/0", "fd00::1"));
        CHECK(is_in("fd00::/9", "fd7f::1"));
        CHECK(!is_in("fd00::/9", "fd80::1"));
        CHECK(is_in("::1/128", "::1"));
        /* As a socket of both families sees it. */
        CHECK(is_in("192.0.2.0/24", "::ffff:192.0.2.9"));
}

TEST(without_networks_everybody_is_trusted_and_with_them_no_unix_socket)
{
        char *items[] = {(char *)(uintptr_t) "::/0"};
        struct net_address address;

        CHECK_EQ(net_address_local("/run/a", &address), 0);
        CHECK(net_networks_have(NULL, 0, &address));
        CHECK(!net_networks_have(items, 1, &address));
}

TEST(what_is_no_network_is_told)
{
        static const char *const wrong[] = {"",
                                            "a",
                                            "192.0.2.0/33",
                                            "::/129",
                                            "192.0.2.0/",
                                            "192.0.2.0/x",
                                            "192.0.2/8",
                                            "192.0.2.0/ 8",
                                            "192.0.2.0/-1",
                                            "1111111111111111111111111111111111111111111111"};

        for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
                char *items[] = {(char *)(uintptr_t)wrong[i]};
                struct error error;

                CHECK_EQ(net_networks_check(items, 1, &error), -EINVAL);
                CHECK(strstr(error.text, "is no address and no network") != NULL);
        }
}
