#include "broker/keep.h"

#include <string.h>

static void on_report(void *owner, bool damage, const char *sentence)
{
        struct broker_keep *keep = owner;

        if (damage)
                log_error(keep->log, "journal", "%s", sentence);
        else
                log_warning(keep->log, "journal", "%s", sentence);
}

static void on_trouble(void *owner, int error)
{
        struct broker_keep *keep = owner;

        if (error < 0)
                log_error(keep->log, "journal", "cannot write error=\"%s\"", strerror(-error));
        else
                log_info(keep->log, "journal", "writes again");
}

static enum mqtt_durability durability_of(int durability)
{
        switch ((enum broker_durability)durability) {
        case BROKER_DURABILITY_FSYNC:
                return MQTT_DURABILITY_FSYNC;
        case BROKER_DURABILITY_INTERVAL:
                return MQTT_DURABILITY_INTERVAL;
        case BROKER_DURABILITY_DEFAULT:
        case BROKER_DURABILITY_MEMORY:
                break;
        }
        return MQTT_DURABILITY_MEMORY;
}

int broker_keep_begin(struct broker_keep *keep, const struct broker_config *config,
                      struct loop *loop, struct mqtt_broker *broker, struct log *log,
                      struct error *error)
{
        const struct mqtt_keep_options options = {
                .sessions = durability_of(config->durability),
                .retained = durability_of(config->retained_durability),
                .interval_ms = (uint32_t)(config->durability_interval * 1000),
                .owner = keep,
                .on_report = on_report,
                .on_trouble = on_trouble,
        };
        int r;

        *keep = (struct broker_keep){.log = log};
        if (options.sessions == MQTT_DURABILITY_MEMORY &&
            options.retained == MQTT_DURABILITY_MEMORY)
                return 0;
        r = mqtt_keep_folder_open(&keep->folder, config->state_dir, error);
        if (r < 0)
                return r;
        r = mqtt_keep_folder_begin(&keep->folder, loop, broker, &options, error);
        return r < 0 ? error_prefix(error, "%s: ", config->state_dir) : 0;
}

void broker_keep_done(struct broker_keep *keep)
{
        mqtt_keep_folder_done(&keep->folder);
}
