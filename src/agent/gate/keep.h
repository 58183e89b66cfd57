/* agent/gate/keep.h - sessions and retained messages that outlive the agent, in the folder `mqtt`
 * of its state directory.
 *
 * A disk that cannot be used is no reason not to serve: then they are kept in memory only, and
 * the log and the status say so. */
#pragma once

#include "agent/gate/config.h"
#include "base/log.h"
#include "data/json-writer.h"
#include "mqtt/keep-folder.h"

struct gate_keep {
        struct log *log;
        struct mqtt_keep_folder folder; /* not open: all is kept in memory */
        enum mqtt_durability sessions, retained;
        char trouble[ERROR_TEXT_MAX]; /* what is wrong with the disk; "": nothing */
};

/* For a broker that nobody has used. -errno: nothing can be kept, and *keep says why; the broker
 * is then good for nothing but its end. What stands in *keep is in use until gate_keep_done(). */
int gate_keep_begin(struct gate_keep *keep, const struct gate_config *config, const char *state_dir,
                    struct log *log, struct loop *loop, struct mqtt_broker *broker);
/* After the broker's end; without a beginning, too. */
void gate_keep_done(struct gate_keep *keep);
/* Members of an open object. */
void gate_keep_write_status(const struct gate_keep *keep, struct json_writer *writer);
