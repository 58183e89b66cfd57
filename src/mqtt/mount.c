#include "mqtt/mount.h"

#include "base/crc32c.h"
#include "proto/mqtt/topic.h"

#include <errno.h>
#include <string.h>

/* The three parts as one text. */
static int join(struct buffer *room, struct mqtt_text begin, struct mqtt_text mount,
                struct mqtt_text rest, struct mqtt_text *ret)
{
        size_t length = (size_t)begin.length + mount.length + rest.length;
        int r;

        if (length > MQTT_TEXT_MAX)
                return -EINVAL;
        buffer_truncate(room, 0);
        r = buffer_reserve(room, length);
        if (r < 0)
                return r;
        /* Reserved. */
        (void)buffer_append(room, begin.bytes, begin.length);
        (void)buffer_append(room, mount.bytes, mount.length);
        (void)buffer_append(room, rest.bytes, rest.length);
        *ret = (struct mqtt_text){buffer_data(room), (uint16_t)length};
        return 0;
}

int mqtt_mount_name(struct mqtt_text mount, struct buffer *room, struct mqtt_text *name)
{
        static const struct mqtt_text nothing = {"", 0};
        int r;

        if (mount.length == 0)
                return 0;
        r = join(room, nothing, mount, *name, name);
        return r < 0 || mqtt_topic_name_is_valid(*name) ? r : -EINVAL;
}

int mqtt_mount_filter(struct mqtt_text mount, struct buffer *room, struct mqtt_text *filter)
{
        struct mqtt_text begin = {filter->bytes, 0}, share, rest = *filter;
        int r;

        /* By itself first: together with the mount even nothing would be one. */
        if (!mqtt_topic_filter_is_valid(*filter))
                return -EINVAL;
        if (mount.length == 0)
                return 0;
        if (mqtt_topic_filter_split_shared(*filter, &share, &rest))
                begin.length = (uint16_t)(rest.bytes - filter->bytes);
        r = join(room, begin, mount, rest, filter);
        return r < 0 || mqtt_topic_filter_is_valid(*filter) ? r : -EINVAL;
}

int mqtt_mount_hidden(struct mqtt_text mount, struct mqtt_text topic)
{
        if (topic.length <= mount.length ||
            (mount.length > 0 && memcmp(topic.bytes, mount.bytes, mount.length) != 0))
                return -ENOENT;
        return mount.length;
}

uint32_t mqtt_mount_owner(struct mqtt_text mount, uint32_t owner)
{
        return mount.length > 0 ? crc32c_extend(owner, mount.bytes, mount.length) : owner;
}
