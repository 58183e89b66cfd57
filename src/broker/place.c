#include "broker/place.h"

#include <stdio.h>

const char *broker_place(const struct broker_listener *listener, char text[BROKER_PLACE_MAX])
{
        static const char *const families[] = {"", "/ipv4", "/ipv6"};
        const char *where = listener->interface ? listener->interface : listener->host;

        if (listener->socket)
                snprintf(text, BROKER_PLACE_MAX, "%.250s", listener->socket);
        else
                snprintf(text, BROKER_PLACE_MAX, "%.200s:%u%s%.90s", where ? where : "*",
                         (unsigned)listener->port, families[listener->family],
                         listener->port == 0 && listener->name ? listener->name : "");
        return text;
}
