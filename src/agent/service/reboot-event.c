#include "agent/service/reboot-event.h"

static const char *const names[] = {
        [REBOOT_SCHEDULED] = "scheduled",
        [REBOOT_REQUESTED] = "requested",
        [REBOOT_FAILED] = "failed",
        [REBOOT_FORGOTTEN] = "forgotten",
};

const char *reboot_stage_name(enum reboot_stage stage)
{
        return names[stage];
}

static void write_event(const void *payload, struct json_writer *writer)
{
        const struct reboot_event *event = payload;

        json_write_string(writer, "stage", reboot_stage_name(event->stage));
        json_write_double(writer, "delay", (double)event->delay_ms / 1000);
        if (event->why[0] != '\0')
                json_write_string(writer, "why", event->why);
}

const struct command_event_type reboot_event_type = {
        .name = "service.reboot", .size = sizeof(struct reboot_event), .write = write_event};
