/* agent/handler/handler-event.h - what happens to modules, as events of the bus. */
#pragma once

#include "agent/handler/version.h"
#include "command/bus.h"

enum handler_event_kind {
        HANDLER_EVENT_DEPLOYED,
        HANDLER_EVENT_REJECTED,
        HANDLER_EVENT_REMOVED,
        HANDLER_EVENT_LOADED,
        HANDLER_EVENT_BROKEN,
        HANDLER_EVENT_DISABLED,
        HANDLER_EVENT_GOOD,
        HANDLER_EVENT_SUGGESTED, /* a rollback */
        HANDLER_EVENT_STORE,     /* what the disk had to say */
        HANDLER_EVENT_SPAWNER,
};

enum { HANDLER_EVENT_TEXT_MAX = 383 };

struct handler_event {
        enum handler_event_kind kind;
        bool trouble;
        char filename[HANDLER_NAME_MAX + 1]; /* "": of none in particular */
        char text[HANDLER_EVENT_TEXT_MAX + 1];
};

extern const struct command_event_type handler_event_type; /* "handler" */
const char *handler_event_kind_name(enum handler_event_kind kind);
