#include "agent/gate/keep.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char area[] = "mqtt";

static void on_report(void *owner, bool damage, const char *sentence)
{
        struct gate_keep *keep = owner;

        if (damage)
                log_error(keep->log, area, "%s", sentence);
        else
                log_warning(keep->log, area, "%s", sentence);
}

static void on_trouble(void *owner, int error)
{
        struct gate_keep *keep = owner;

        snprintf(keep->trouble, sizeof(keep->trouble), "%s", error < 0 ? strerror(-error) : "");
        if (error < 0)
                log_error(keep->log, area,
                          "cannot keep sessions and retained messages: %s; what is to be kept is "
                          "acknowledged when it can be",
                          keep->trouble);
        else
                log_info(keep->log, area, "sessions and retained messages are kept again");
}

/* What can be read and not written would refuse whoever wants a session. */
static int open_folder(struct gate_keep *keep, const char *path, struct error *error)
{
        int r = mqtt_keep_folder_open(&keep->folder, path, error);

        if (r < 0 || faccessat(keep->folder.fd, ".", W_OK, 0) == 0)
                return r;
        r = -errno;
        return error_set(error, r, "cannot use the folder %s: %s", path, strerror(-r));
}

static int begin(struct gate_keep *keep, const struct mqtt_keep_options *options,
                 const char *state_dir, struct loop *loop, struct mqtt_broker *broker,
                 struct error *error)
{
        AUTO_FREE char *path = NULL;
        int r;

        if (asprintf(&path, "%s/mqtt", state_dir) < 0)
                return error_set(error, -ENOMEM, "not enough memory");
        r = open_folder(keep, path, error);
        if (r < 0)
                return r;
        r = mqtt_keep_folder_begin(&keep->folder, loop, broker, options, error);
        return r < 0 ? error_prefix(error, "%s: ", path) : 0;
}

int gate_keep_begin(struct gate_keep *keep, const struct gate_config *config, const char *state_dir,
                    struct log *log, struct loop *loop, struct mqtt_broker *broker)
{
        struct mqtt_keep_options options = {
                .owner = keep, .on_report = on_report, .on_trouble = on_trouble};
        struct error error = {0};
        int r;

        mqtt_keep_config_apply(&config->keep, &options);
        *keep = (struct gate_keep){
                .log = log, .sessions = options.sessions, .retained = options.retained};
        if (keep->sessions == MQTT_DURABILITY_MEMORY && keep->retained == MQTT_DURABILITY_MEMORY)
                return 0;
        r = begin(keep, &options, state_dir, loop, broker, &error);
        if (r == 0)
                return 0;
        keep->sessions = keep->retained = MQTT_DURABILITY_MEMORY;
        snprintf(keep->trouble, sizeof(keep->trouble), "%s", error.text);
        log_error(log, area,
                  "sessions and retained messages are kept in memory only, and go with the agent: "
                  "%s",
                  error.text);
        return r;
}

void gate_keep_done(struct gate_keep *keep)
{
        mqtt_keep_folder_done(&keep->folder);
}

void gate_keep_write_status(const struct gate_keep *keep, struct json_writer *writer)
{
        json_write_string(writer, "durability", mqtt_durability_name(keep->sessions));
        json_write_string(writer, "retained_durability", mqtt_durability_name(keep->retained));
        if (keep->trouble[0] != '\0')
                json_write_string(writer, "trouble", keep->trouble);
}
