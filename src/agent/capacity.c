#include "agent/capacity.h"

#include "agent/handler/handler.h"

#include <limits.h>
#include <sys/resource.h>

enum {
        DESCRIPTORS_OF_OURS = 64, /* that are neither a client's nor a module's */
        DESCRIPTORS_USUAL = 1024, /* where nobody tells */
};

static size_t descriptors_max(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return DESCRIPTORS_USUAL;
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return DESCRIPTORS_USUAL;
        return limit.rlim_cur < INT_MAX ? (size_t)limit.rlim_cur : INT_MAX;
}

/* What modules need at most is kept from clients, so that no number of those stops a module;
 * with few descriptors, half of them. */
static size_t clients_max(void)
{
        size_t all = descriptors_max();
        size_t ours = DESCRIPTORS_OF_OURS + HANDLER_DESCRIPTORS_MAX;

        if (ours > all / 2)
                ours = all / 2 > DESCRIPTORS_OF_OURS ? all / 2 : DESCRIPTORS_OF_OURS;
        return all > ours ? all - ours : 1;
}

struct capacity capacity_find(const struct agent_config *config)
{
        size_t clients = clients_max(), wanted = (size_t)config->limits.connections;
        struct capacity capacity = {.mqtt = config->mqtt.enabled ? clients / 4 : 0,
                                    .http = config->http.enabled ? clients / 8 : 0};

        if (capacity.http > (size_t)config->http.connections)
                capacity.http = (size_t)config->http.connections;
        capacity.command = clients - capacity.mqtt - capacity.http;
        if (wanted > 0 && wanted < capacity.command)
                capacity.command = wanted;
        return capacity;
}
