#include "broker/keep.h"

#include <errno.h>
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

int broker_keep_begin(struct broker_keep *keep, const struct broker_config *config,
                      struct loop *loop, struct mqtt_broker *broker, struct log *log,
                      struct error *error)
{
        struct mqtt_keep_options options = {
                .owner = keep, .on_report = on_report, .on_trouble = on_trouble};
        int r;

        mqtt_keep_config_apply(&config->keep, &options);
        *keep = (struct broker_keep){.log = log};
        if (options.sessions == MQTT_DURABILITY_MEMORY &&
            options.retained == MQTT_DURABILITY_MEMORY)
                return 0;
        r = mqtt_keep_folder_open(&keep->folder, config->state_dir, error);
        if (r == -EACCES)
                return error_set(error, r,
                                 "cannot use the folder %s: %s; it has to belong to the user that "
                                 "the broker runs as (`user`)",
                                 config->state_dir, strerror(EACCES));
        if (r < 0)
                return r;
        r = mqtt_keep_folder_begin(&keep->folder, loop, broker, &options, error);
        return r < 0 ? error_prefix(error, "%s: ", config->state_dir) : 0;
}

void broker_keep_done(struct broker_keep *keep)
{
        mqtt_keep_folder_done(&keep->folder);
}
