#include "access/topic-rule.h"

#include "proto/mqtt/topic.h"

#include <string.h>

static bool is(struct mqtt_text level, char wildcard)
{
        return level.length == 1 && level.bytes[0] == wildcard;
}

static bool same(struct mqtt_text one, struct mqtt_text other)
{
        return one.length == other.length && memcmp(one.bytes, other.bytes, one.length) == 0;
}

/* What may stand for a part of a topic: else its owner could reach others' topics. */
static bool is_plain(struct mqtt_text text)
{
        for (uint16_t i = 0; i < text.length; i++) {
                if (memchr("+#/", text.bytes[i], 3))
                        return false;
        }
        return text.length > 0;
}

enum likeness { DIFFERENT, LIKE, UNKNOWN };

/* Is `level` what becomes of `pattern`? UNKNOWN: nothing does, for this client. */
static enum likeness compare(struct mqtt_text pattern, const struct acl_subject *subject,
                             struct mqtt_text level)
{
        uint16_t at = 0;

        for (uint16_t i = 0; i < pattern.length; i++) {
                struct mqtt_text part = {pattern.bytes + i, 1};

                if (part.bytes[0] == '%' && i + 1 < pattern.length &&
                    (part.bytes[1] == 'u' || part.bytes[1] == 'c')) {
                        part = part.bytes[1] == 'u' ? subject->user : subject->client_id;
                        if (!is_plain(part))
                                return UNKNOWN;
                        i++;
                }
                if (part.length > level.length - at ||
                    memcmp(part.bytes, level.bytes + at, part.length) != 0)
                        return DIFFERENT;
                at = (uint16_t)(at + part.length);
        }
        return at == level.length ? LIKE : DIFFERENT;
}

static bool has_placeholder(struct mqtt_text level)
{
        return memmem(level.bytes, level.length, "%u", 2) ||
               memmem(level.bytes, level.length, "%c", 2);
}

/* A level of the rule that is neither wildcard, against one of a name or filter that may be '+'
 * (`meets`: which has it in common). */
static bool level_matches(const struct topic_rule *rule, const struct acl_subject *subject,
                          struct mqtt_text wanted, struct mqtt_text level, bool meets)
{
        enum likeness likeness;

        if (!rule->has_placeholders || !has_placeholder(wanted))
                return (meets && is(level, '+')) || same(wanted, level);
        likeness = compare(wanted, subject, level);
        if (likeness == UNKNOWN)
                return rule->denies;
        return likeness == LIKE || (meets && is(level, '+'));
}

static bool is_reserved_against(struct mqtt_text wanted, struct mqtt_text level, bool reserved)
{
        return (is(wanted, '+') && reserved) ||
               (is(level, '+') && wanted.length > 0 && wanted.bytes[0] == '$');
}

static bool match(const struct topic_rule *rule, const struct acl_subject *subject,
                  struct mqtt_text other, bool meets)
{
        bool reserved = other.length > 0 && other.bytes[0] == '$';
        struct mqtt_text wanted, level;
        uint32_t rule_at = 0, at = 0;

        while (mqtt_topic_level_next(rule->topic, &rule_at, &wanted)) {
                bool first = at == 0;

                if (is(wanted, '#'))
                        return !(first && reserved); /* its parent, too */
                if (!mqtt_topic_level_next(other, &at, &level))
                        return false;
                if (is(level, '#'))
                        return meets && !(first && wanted.length > 0 && wanted.bytes[0] == '$');
                /* A wildcard in the first level stands for nothing with '$', on either side. */
                if (first && is_reserved_against(wanted, level, reserved))
                        return false;
                if (!is(wanted, '+') && !level_matches(rule, subject, wanted, level, meets))
                        return false;
        }
        /* "a" and "a/#" have "a" in common. */
        return !mqtt_topic_level_next(other, &at, &level) || (meets && is(level, '#'));
}

void topic_rule_find_prefix(struct topic_rule *rule)
{
        struct mqtt_text level;
        uint32_t at = 0, begin = 0;

        while (mqtt_topic_level_next(rule->topic, &at, &level)) {
                if (is(level, '+') || is(level, '#') ||
                    (rule->has_placeholders && has_placeholder(level))) {
                        /* "a/#" covers "a". */
                        rule->prefix = (uint16_t)(begin > 0 ? begin - 1 : 0);
                        return;
                }
                begin = at;
        }
        rule->prefix = rule->topic.length;
}

bool topic_rule_covers(const struct topic_rule *rule, const struct acl_subject *subject,
                       struct mqtt_text other)
{
        return other.length >= rule->prefix &&
               memcmp(other.bytes, rule->topic.bytes, rule->prefix) == 0 &&
               match(rule, subject, other, false);
}

bool topic_rule_meets(const struct topic_rule *rule, const struct acl_subject *subject,
                      struct mqtt_text filter)
{
        return match(rule, subject, filter, true);
}
