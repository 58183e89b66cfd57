/* access/topic-rule.h - one rule's topic against a name or a filter, level by level.
 *
 * Pure. In src/access/ only. */
#pragma once

#include "access/acl.h"

struct topic_rule {
        struct mqtt_text topic; /* a valid filter */
        uint16_t prefix;        /* bytes of it that all it covers begin with; 0 is right, too */
        uint8_t access;
        bool denies;
        bool has_placeholders; /* %u and %c are no text */
};

/* Sets `prefix`, of all else. */
void topic_rule_find_prefix(struct topic_rule *rule);
/* Is all that `other` matches matched by the rule? Of a name: does the rule match it? */
bool topic_rule_covers(const struct topic_rule *rule, const struct acl_subject *subject,
                       struct mqtt_text other);
/* Is there a name that both match? */
bool topic_rule_meets(const struct topic_rule *rule, const struct acl_subject *subject,
                      struct mqtt_text filter);
