#include "cli/topic.h"

#include "base/utf8.h"
#include "proto/mqtt/topic.h"

#include <errno.h>
#include <string.h>

/* A text that MQTT can carry: *ret is it. */
static int check_text(const char *text, struct mqtt_text *ret, struct error *error)
{
        size_t length = strlen(text);

        if (length == 0)
                return error_set(error, -EINVAL, "a topic cannot be empty");
        if (length > UINT16_MAX)
                return error_set(error, -EINVAL, "a topic has at most %d bytes", UINT16_MAX);
        if (utf8_valid_prefix(text, length) != length)
                return error_set(error, -EINVAL, "a topic is text in UTF-8");
        *ret = (struct mqtt_text){text, (uint16_t)length};
        return 0;
}

int topic_check_name(const char *topic, struct error *error)
{
        struct mqtt_text text;
        int r = check_text(topic, &text, error);

        if (r < 0)
                return r;
        if (strpbrk(topic, "+#"))
                return error_set(error, -EINVAL,
                                 "\"%s\": + and # are for subscribing; one message goes to one "
                                 "topic",
                                 topic);
        if (!mqtt_topic_name_is_valid(text))
                return error_set(error, -EINVAL, "a topic has at most %d levels",
                                 MQTT_TOPIC_LEVELS_MAX);
        return 0;
}

int topic_check_filter(const char *filter, struct error *error)
{
        struct mqtt_text text;
        int r = check_text(filter, &text, error);

        if (r < 0)
                return r;
        if (!mqtt_topic_filter_is_valid(text))
                return error_set(error, -EINVAL,
                                 "\"%s\" is no filter: + stands for one whole level, # for the "
                                 "rest, as in a/+/c or a/#; $share/GROUP/FILTER shares",
                                 filter);
        return 0;
}
