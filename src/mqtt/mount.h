/* mqtt/mount.h - topics below the mount point of a listener (terms.h): what its clients name is
 * put behind a prefix that they never see. Inside of mqtt/ only.
 *
 * Texts that were mounted stand in `room`, which the caller lends and which holds one at a
 * time. A mount of length 0 leaves all as it is. */
#pragma once

#include "base/buffer.h"
#include "mqtt/terms.h"

/* "home/" and "door" are "home/door". -EINVAL: the whole is no topic name; -ENOMEM. */
int mqtt_mount_name(struct mqtt_text mount, struct buffer *room, struct mqtt_text *name);
/* "home/" and "$share/us/+" are "$share/us/home/+". A filter that is not valid may come;
 * -EINVAL: it is none, or the whole is not; -ENOMEM. */
int mqtt_mount_filter(struct mqtt_text mount, struct buffer *room, struct mqtt_text *filter);
/* How much of the topic a client of that mount is not told: all of the mount, or -ENOENT: the
 * topic is none of its own. */
int mqtt_mount_hidden(struct mqtt_text mount, struct mqtt_text topic);
/* Whose sessions these are: those of an owner's clients of one mount are not another's. The same
 * after a restart. */
uint32_t mqtt_mount_owner(struct mqtt_text mount, uint32_t owner);
