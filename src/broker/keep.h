/* broker/keep.h - the folder in which the broker keeps what survives its end. */
#pragma once

#include "base/log.h"
#include "broker/config.h"
#include "mqtt/keep-folder.h"

struct broker_keep {
        struct log *log;
        struct mqtt_keep_folder folder; /* not open: everything is in memory */
};

/* Before anybody is attached. What could not be restored is logged, and no failure. -errno with a
 * sentence. Must be done in each case. */
int broker_keep_begin(struct broker_keep *keep, const struct broker_config *config,
                      struct loop *loop, struct mqtt_broker *broker, struct log *log,
                      struct error *error);
/* After the broker. Of one that is all zero too. */
void broker_keep_done(struct broker_keep *keep);
