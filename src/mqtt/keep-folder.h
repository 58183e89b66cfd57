/* mqtt/keep-folder.h - the folder in which a broker keeps what survives it, and the thread that
 * writes there. All zero is one that is not open. */
#pragma once

#include "base/error.h"
#include "mqtt/broker.h"

struct mqtt_keep_folder {
        bool open;
        int fd;
        struct store_thread *thread; /* NULL: nobody writes */
};

/* Makes the folder where there is none, for its owner only. -errno with a sentence; *folder is
 * then as it was. */
int mqtt_keep_folder_open(struct mqtt_keep_folder *folder, const char *path, struct error *error);
/* mqtt_broker_keep() in it, with its outcomes; whose `directory_fd` it is, is known here. The
 * broker may be using the folder whatever the outcome is. */
int mqtt_keep_folder_begin(struct mqtt_keep_folder *folder, struct loop *loop,
                           struct mqtt_broker *broker, const struct mqtt_keep_options *options,
                           struct error *error);
/* After the broker's end. */
void mqtt_keep_folder_done(struct mqtt_keep_folder *folder);
