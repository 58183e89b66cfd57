#include "bench/protocol.h"

#include <stddef.h>
#include <string.h>

/* What is echoed by a built-in command and by modules (modules.py). */
#define ECHOED "\"sixty-four bytes, as many as a command with some arguments has..\""

static const struct protocol protocols[] = {
        {"json", "{\"command\":\"ping\"}\n", NULL, "\"pong\"", false},
        {"resp", "*1\r\n$4\r\nPING\r\n", NULL, "+PONG\r", false},
        {"echo", "{\"command\":\"ping\"}\n", NULL, "\"ping\"}", false},
        {"pin", "{\"command\":\"led_on\", \"pin\":17}\n", "{\"command\":\"led_off\",\"pin\":17}\n",
         "\"led_o", false},
        {"call-builtin", "{\"command\":\"echo\",\"text\":" ECHOED "}\n", NULL, ECHOED, false},
        {"call-python", "{\"command\":\"echo_python\",\"text\":" ECHOED "}\n", NULL, ECHOED, false},
        {"call-c", "{\"command\":\"echo_c\",\"text\":" ECHOED "}\n", NULL, ECHOED, false},
        {"http-file", NULL, NULL, "HTTP/1.1 200 ", true},
        {"http-unchanged", NULL, NULL, "HTTP/1.1 304 ", true},
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
        return "json, resp, echo, pin, call-builtin, call-python, call-c, http-file, "
               "http-unchanged";
}
