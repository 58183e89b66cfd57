#include "bench/protocol.h"

#include <stddef.h>
#include <string.h>

static const struct protocol protocols[] = {
        {"json", "{\"command\":\"ping\"}\n", NULL, "\"pong\""},
        {"resp", "*1\r\n$4\r\nPING\r\n", NULL, "+PONG\r"},
        {"echo", "{\"command\":\"ping\"}\n", NULL, "\"ping\"}"},
        {"pin", "{\"command\":\"led_on\", \"pin\":17}\n", "{\"command\":\"led_off\",\"pin\":17}\n",
         "\"led_o"},
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
        return "json, resp, echo, pin";
}
