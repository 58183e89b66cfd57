#include "agent/gate/keep.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char area[] = "mqtt";

static enum mqtt_durability durability_of(int choice, enum mqtt_durability usual)
{
        switch ((enum gate_durability)choice) {
        case GATE_DURABILITY_MEMORY:
                return MQTT_DURABILITY_MEMORY;
        case GATE_DURABILITY_INTERVAL:
                return MQTT_DURABILITY_INTERVAL;
        case GATE_DURABILITY_FSYNC:
                return MQTT_DURABILITY_FSYNC;
        case GATE_DURABILITY_DEFAULT:
                break;
        }
        return usual;
}

/* Who chooses for sessions has chosen for retained messages, too. */
static void choose(struct gate_keep *keep, const struct gate_config *config)
{
        enum mqtt_durability retained = config->durability == GATE_DURABILITY_DEFAULT
                                                ? MQTT_DURABILITY_FSYNC
                                                : durability_of(config->durability, 0);

        keep->sessions = durability_of(config->durability, MQTT_DURABILITY_INTERVAL);
        keep->retained = durability_of(config->retained_durability, retained);
}

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

static int begin(struct gate_keep *keep, const struct gate_config *config, const char *state_dir,
                 struct loop *loop, struct mqtt_broker *broker, struct error *error)
{
        const struct mqtt_keep_options options = {
                .sessions = keep->sessions,
                .retained = keep->retained,
                .interval_ms = (uint32_t)(config->durability_interval * 1000),
                .owner = keep,
                .on_report = on_report,
                .on_trouble = on_trouble,
        };
        AUTO_FREE char *path = NULL;
        int r;

        if (asprintf(&path, "%s/mqtt", state_dir) < 0)
                return error_set(error, -ENOMEM, "not enough memory");
        r = open_folder(keep, path, error);
        if (r < 0)
                return r;
        r = mqtt_keep_folder_begin(&keep->folder, loop, broker, &options, error);
        return r < 0 ? error_prefix(error, "%s: ", path) : 0;
}

int gate_keep_begin(struct gate_keep *keep, const struct gate_config *config, const char *state_dir,
                    struct log *log, struct loop *loop, struct mqtt_broker *broker)
{
        struct error error = {0};
        int r;

        *keep = (struct gate_keep){.log = log};
        choose(keep, config);
        if (keep->sessions == MQTT_DURABILITY_MEMORY && keep->retained == MQTT_DURABILITY_MEMORY)
                return 0;
        r = begin(keep, config, state_dir, loop, broker, &error);
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
