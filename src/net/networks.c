#include "net/networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Both families as IPv6: those of IPv4 are in ::ffff:0:0/96. */
struct network {
        uint8_t bytes[16];
        unsigned bits;
};

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static int parse_bits(const char *text, unsigned most, unsigned *ret)
{
        char *end;
        unsigned long bits = strtoul(text, &end, 10);

        if (text[0] < '0' || text[0] > '9' || *end != '\0' || bits > most)
                return -EINVAL;
        *ret = (unsigned)bits;
        return 0;
}

static int parse(const char *text, struct network *ret)
{
        char host[INET6_ADDRSTRLEN];
        const char *slash = strchr(text, '/');
        size_t length = slash ? (size_t)(slash - text) : strlen(text);
        unsigned most = 128;

        if (length >= sizeof(host))
                return -EINVAL;
        memcpy(host, text, length);
        host[length] = '\0';
        memcpy(ret->bytes, mapped, sizeof(mapped));
        if (inet_pton(AF_INET, host, ret->bytes + sizeof(mapped)) == 1)
                most = 32;
        else if (inet_pton(AF_INET6, host, ret->bytes) != 1)
                return -EINVAL;
        ret->bits = most;
        if (slash && parse_bits(slash + 1, most, &ret->bits) < 0)
                return -EINVAL;
        ret->bits += 128 - most;
        return 0;
}

static bool has(const struct network *network, const uint8_t bytes[16])
{
        const unsigned whole = network->bits / 8, rest = network->bits % 8;
        const uint8_t mask = (uint8_t)(0xff00 >> rest);

        if (memcmp(network->bytes, bytes, whole) != 0)
                return false;
        return rest == 0 || ((network->bytes[whole] ^ bytes[whole]) & mask) == 0;
}

int net_networks_check(char *const networks[], size_t count, struct error *error)
{
        struct network network;

        for (size_t i = 0; i < count; i++)
                if (parse(networks[i], &network) < 0)
                        return error_set(error, -EINVAL,
                                         "'%.64s' is no address and no network such as "
                                         "192.0.2.0/24",
                                         networks[i]);
        return 0;
}

bool net_networks_have(char *const networks[], size_t count, const struct net_address *address)
{
        struct network network;
        uint8_t bytes[16];

        if (count == 0)
                return true;
        memcpy(bytes, mapped, sizeof(mapped));
        if (address->any.sa_family == AF_INET)
                memcpy(bytes + sizeof(mapped), &address->v4.sin_addr, 4);
        else if (address->any.sa_family == AF_INET6)
                memcpy(bytes, &address->v6.sin6_addr, sizeof(bytes));
        else
                return false;
        for (size_t i = 0; i < count; i++)
                if (parse(networks[i], &network) == 0 && has(&network, bytes))
                        return true;
        return false;
}
