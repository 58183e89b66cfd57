#include "proto/mqtt/topic.h"

#include <string.h>

static const char shared_prefix[] = "$share/";

bool mqtt_topic_level_next(struct mqtt_text topic, uint32_t *at, struct mqtt_text *ret)
{
        const char *level, *slash;

        if (*at > topic.length)
                return false;
        level = topic.bytes + *at;
        slash = memchr(level, '/', (size_t)topic.length - *at);
        ret->bytes = level;
        ret->length = (uint16_t)(slash ? slash - level : topic.length - (ptrdiff_t)*at);
        /* Behind the last level, which may be empty, stands no slash. */
        *at += (uint32_t)ret->length + 1;
        return true;
}

bool mqtt_topic_has_good_depth(struct mqtt_text topic)
{
        size_t levels = 1;

        for (uint16_t i = 0; i < topic.length; i++)
                levels += topic.bytes[i] == '/';
        return levels <= MQTT_TOPIC_LEVELS_MAX;
}

bool mqtt_topic_name_is_valid(struct mqtt_text name)
{
        if (name.length == 0)
                return false;
        for (uint16_t i = 0; i < name.length; i++)
                if (name.bytes[i] == '+' || name.bytes[i] == '#' || name.bytes[i] == '\0')
                        return false;
        return mqtt_topic_has_good_depth(name);
}

static bool is_wildcard(struct mqtt_text level, char wildcard)
{
        return level.length == 1 && level.bytes[0] == wildcard;
}

static bool level_is_valid(struct mqtt_text level, bool last)
{
        if (is_wildcard(level, '+'))
                return true;
        if (is_wildcard(level, '#'))
                return last;
        return !memchr(level.bytes, '+', level.length) && !memchr(level.bytes, '#', level.length) &&
               !memchr(level.bytes, '\0', level.length);
}

bool mqtt_topic_filter_is_well_formed(struct mqtt_text filter)
{
        struct mqtt_text level;
        uint32_t at = 0;

        if (filter.length == 0)
                return false;
        while (mqtt_topic_level_next(filter, &at, &level))
                if (!level_is_valid(level, at > filter.length))
                        return false;
        return true;
}

static bool plain_filter_is_valid(struct mqtt_text filter)
{
        return mqtt_topic_filter_is_well_formed(filter) && mqtt_topic_has_good_depth(filter);
}

static bool begins_shared(struct mqtt_text filter)
{
        size_t length = sizeof(shared_prefix) - 1;

        return filter.length >= length && memcmp(filter.bytes, shared_prefix, length) == 0;
}

bool mqtt_topic_filter_split_shared(struct mqtt_text filter, struct mqtt_text *share,
                                    struct mqtt_text *rest)
{
        const char *name = filter.bytes + sizeof(shared_prefix) - 1;
        const char *end = filter.bytes + filter.length;
        const char *slash;

        if (!begins_shared(filter))
                return false;
        slash = memchr(name, '/', (size_t)(end - name));
        if (!slash)
                slash = end;
        *share = (struct mqtt_text){name, (uint16_t)(slash - name)};
        if (slash < end)
                slash++;
        *rest = (struct mqtt_text){slash, (uint16_t)(end - slash)};
        return true;
}

bool mqtt_topic_filter_is_valid(struct mqtt_text filter)
{
        struct mqtt_text share, rest;

        if (!mqtt_topic_filter_split_shared(filter, &share, &rest))
                return plain_filter_is_valid(filter);
        return share.length > 0 && !memchr(share.bytes, '+', share.length) &&
               !memchr(share.bytes, '#', share.length) &&
               !memchr(share.bytes, '\0', share.length) && plain_filter_is_valid(rest);
}

bool mqtt_topic_filter_has_wildcard(struct mqtt_text filter)
{
        return memchr(filter.bytes, '+', filter.length) || memchr(filter.bytes, '#', filter.length);
}

bool mqtt_topic_matches(struct mqtt_text filter, struct mqtt_text name)
{
        struct mqtt_text wanted, level;
        uint32_t filter_at = 0, name_at = 0;
        bool is_reserved = name.length > 0 && name.bytes[0] == '$';

        while (mqtt_topic_level_next(filter, &filter_at, &wanted)) {
                bool wild = is_wildcard(wanted, '+') || is_wildcard(wanted, '#');

                if (wild && is_reserved && wanted.bytes == filter.bytes)
                        return false;
                /* '#' stands for its parent too: "a/#" matches "a". */
                if (is_wildcard(wanted, '#'))
                        return true;
                if (!mqtt_topic_level_next(name, &name_at, &level))
                        return false;
                if (!wild && (wanted.length != level.length ||
                              memcmp(wanted.bytes, level.bytes, level.length) != 0))
                        return false;
        }
        return name_at > name.length;
}
