#include "bench/protocol.h"

#include <stddef.h>
#include <string.h>

static const struct protocol protocols[] = {
        {"json", "{\"command\":\"ping\"}\n", "\"pong\""},
        {"resp", "*1\r\n$4\r\nPING\r\n", "+PONG\r"},
        {"echo", "{\"command\":\"ping\"}\n", "\"ping\"}"},
};

const struct protocol *protocol_find(const char *name)
{
        for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
                if (strcmp(protocols[i].name, name) == 0)
                        return &protocols[i];
        return NULL;
}

const char *protocol_names(void)
{
        return "json, resp, echo";
}
