#include "broker/keep.h"

#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

enum { JOBS_MAX = 64 };

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

static int open_folder(const char *path, int *ret, struct error *error)
{
        int r = folder_make(path, 0700);

        if (r == 0) {
                *ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                r = *ret < 0 ? -errno : 0;
        }
        if (r < 0)
                return error_set(error, r, "cannot use the folder %s: %s", path, strerror(-r));
        return 0;
}

int broker_keep_begin(struct broker_keep *keep, const struct broker_config *config,
                      struct loop *loop, struct mqtt_broker *broker, struct log *log,
                      struct error *error)
{
        struct mqtt_keep_options options = {
                .sessions = durability_of(config->durability),
                .retained = durability_of(config->retained_durability),
                .interval_ms = (uint32_t)(config->durability_interval * 1000),
                .owner = keep,
                .on_report = on_report,
                .on_trouble = on_trouble,
        };
        int r;

        *keep = (struct broker_keep){.log = log, .folder_fd = -1};
        if (options.sessions == MQTT_DURABILITY_MEMORY &&
            options.retained == MQTT_DURABILITY_MEMORY)
                return 0;
        r = open_folder(config->state_dir, &keep->folder_fd, error);
        if (r < 0)
                return r;
        r = store_thread_new(loop, JOBS_MAX, &keep->thread);
        if (r < 0)
                return error_set(error, r, "cannot start a thread for the disk: %s", strerror(-r));
        options.directory_fd = keep->folder_fd;
        r = mqtt_broker_keep(broker, keep->thread, &options, error);
        return r < 0 ? error_prefix(error, "%s: ", config->state_dir) : 0;
}

void broker_keep_done(struct broker_keep *keep)
{
        if (!keep->log)
                return;
        store_thread_free(keep->thread);
        if (keep->folder_fd >= 0)
                close(keep->folder_fd);
}
