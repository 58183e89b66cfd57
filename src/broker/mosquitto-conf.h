/* broker/mosquitto-conf.h - mosquitto.conf(5), as far as it says something that this broker has.
 *
 * One setting a line: a key, a blank, its value, which goes to the end of the line. Lines that
 * begin with '#' are comments. Settings of a listener hold for the `listener` line above them; what
 * stands before the first one holds for a default listener, which is open to all users of this
 * machine unless `port` or `bind_address` says more. Defaults are those of mosquitto 2.1.
 *
 * What would change the broker's behaviour in a way that it does not have is refused, with the
 * line and what to do; what changes nothing that anybody could see is let pass with a warning
 * (struct broker_config). mosquitto-keys.c has all keys, docs/broker.md says the same for people.
 */
#pragma once

#include "broker/config.h"

enum {
        MOSQUITTO_LINE_MAX = 65535,    /* bytes */
        MOSQUITTO_INCLUDES_MAX = 1024, /* files of all folders of include_dir */
};

/* Reads text into *config, all of it zero but path and grammar. `path` is what stands in
 * errors. -EINVAL with FILE:LINE and what is wrong; -EFBIG; -errno of include_dir; -ENOMEM. What
 * was read stays, for broker_config_done(). */
int mosquitto_conf_parse(const char *path, const char *text, size_t length,
                         struct broker_config *config, struct error *error);
