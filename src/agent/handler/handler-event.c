#include "agent/handler/handler-event.h"

static const char *const names[] = {
        [HANDLER_EVENT_DEPLOYED] = "deployed", [HANDLER_EVENT_REJECTED] = "rejected",
        [HANDLER_EVENT_REMOVED] = "removed",   [HANDLER_EVENT_LOADED] = "loaded",
        [HANDLER_EVENT_BROKEN] = "broken",     [HANDLER_EVENT_DISABLED] = "disabled",
        [HANDLER_EVENT_GOOD] = "good",         [HANDLER_EVENT_SUGGESTED] = "rollback_suggested",
        [HANDLER_EVENT_STORE] = "store",       [HANDLER_EVENT_SPAWNER] = "spawner",
};

const char *handler_event_kind_name(enum handler_event_kind kind)
{
        return names[kind];
}

static void write_event(const void *payload, struct json_writer *writer)
{
        const struct handler_event *event = payload;

        json_write_string(writer, "event", handler_event_kind_name(event->kind));
        json_write_string(writer, "filename", event->filename);
        json_write_bool(writer, "trouble", event->trouble);
        json_write_string(writer, "text", event->text);
}

const struct command_event_type handler_event_type = {
        .name = "handler", .size = sizeof(struct handler_event), .write = write_event};
