#include "mqtt/keep-folder.h"

#include "base/folder.h"
#include "store/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { JOBS_MAX = 64 };

int mqtt_keep_folder_open(struct mqtt_keep_folder *folder, const char *path, struct error *error)
{
        int fd = -1, r = folder_make(path, 0700);

        if (r == 0) {
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                r = fd < 0 ? -errno : 0;
        }
        if (r < 0)
                return error_set(error, r, "cannot use the folder %s: %s", path, strerror(-r));
        *folder = (struct mqtt_keep_folder){.open = true, .fd = fd};
        return 0;
}

int mqtt_keep_folder_begin(struct mqtt_keep_folder *folder, struct loop *loop,
                           struct mqtt_broker *broker, const struct mqtt_keep_options *options,
                           struct error *error)
{
        struct mqtt_keep_options here = *options;
        int r = store_thread_new(loop, JOBS_MAX, &folder->thread);

        if (r < 0)
                return error_set(error, r, "cannot start a thread for the disk: %s", strerror(-r));
        here.directory_fd = folder->fd;
        return mqtt_broker_keep(broker, folder->thread, &here, error);
}

void mqtt_keep_folder_done(struct mqtt_keep_folder *folder)
{
        if (!folder->open)
                return;
        store_thread_free(folder->thread);
        close(folder->fd);
        *folder = (struct mqtt_keep_folder){.open = false};
}
