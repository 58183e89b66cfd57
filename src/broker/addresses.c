#include "broker/addresses.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>

static bool is_wanted(const struct broker_listener *listener, int family)
{
        if (family == AF_INET)
                return listener->family != BROKER_FAMILY_IPV6;
        return family == AF_INET6 && listener->family != BROKER_FAMILY_IPV4;
}

static int add_host(const struct broker_listener *listener, const char *host,
                    struct broker_addresses *ret, struct error *error)
{
        struct net_address *address = &ret->items[ret->count];
        int r = net_address_parse(host, (uint16_t)listener->port, address, error);

        if (r == 0) {
                address->v6_only = listener->family == BROKER_FAMILY_IPV6;
                ret->count++;
        }
        return r;
}

static int add_both(const struct broker_listener *listener, const char *v4, const char *v6,
                    struct broker_addresses *ret, struct error *error)
{
        int r = is_wanted(listener, AF_INET) ? add_host(listener, v4, ret, error) : 0;

        if (r == 0 && is_wanted(listener, AF_INET6))
                r = add_host(listener, v6, ret, error);
        return r;
}

static void add_of_interface(const struct broker_listener *listener, const struct ifaddrs *entry,
                             struct broker_addresses *ret)
{
        struct net_address *address = &ret->items[ret->count];
        const struct sockaddr *any = entry->ifa_addr;

        if (!any || strcmp(entry->ifa_name, listener->interface) != 0 ||
            !is_wanted(listener, any->sa_family) || ret->count == BROKER_ADDRESSES_MAX)
                return;
        *address = (struct net_address){0};
        if (any->sa_family == AF_INET) {
                memcpy(&address->v4, any, sizeof(address->v4));
                address->v4.sin_port = htons((uint16_t)listener->port);
                address->length = sizeof(address->v4);
        } else {
                memcpy(&address->v6, any, sizeof(address->v6));
                address->v6.sin6_port = htons((uint16_t)listener->port);
                address->length = sizeof(address->v6);
        }
        ret->count++;
}

static int addresses_of_interface(const struct broker_listener *listener,
                                  struct broker_addresses *ret, struct error *error)
{
        struct ifaddrs *all;

        if (getifaddrs(&all) < 0)
                return error_set(error, -errno, "cannot ask for the addresses of %s: %s",
                                 listener->interface, strerror(errno));
        for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next)
                add_of_interface(listener, entry, ret);
        freeifaddrs(all);
        if (ret->count == 0)
                return error_set(error, -ENODEV,
                                 "the interface %s has no address: `ip address` names those "
                                 "that have",
                                 listener->interface);
        return 0;
}

int broker_addresses_of(const struct broker_listener *listener, struct broker_addresses *ret,
                        struct error *error)
{
        int r;

        *ret = (struct broker_addresses){.count = 0};
        if (listener->socket) {
                r = net_address_local(listener->socket, &ret->items[0]);
                if (r < 0)
                        return error_set(error, r, "the path %.200s is too long for a socket",
                                         listener->socket);
                ret->count = 1;
                return 0;
        }
        if (listener->interface)
                return addresses_of_interface(listener, ret, error);
        if (!listener->host) {
                /* One socket takes both families, where the machine has both. */
                ret->need = BROKER_ADDRESSES_ANY;
                if (listener->family == BROKER_FAMILY_IPV4)
                        return add_host(listener, "0.0.0.0", ret, error);
                r = add_host(listener, "::", ret, error);
                return r < 0 || listener->family == BROKER_FAMILY_IPV6
                               ? r
                               : add_host(listener, "0.0.0.0", ret, error);
        }
        if (strcmp(listener->host, "localhost") != 0)
                return add_host(listener, listener->host, ret, error);
        ret->need = BROKER_ADDRESSES_FIRST;
        return add_both(listener, "127.0.0.1", "::1", ret, error);
}
