#include "access/acl.h"

#include "access/topic-rule.h"
#include "access/user-table.h"
#include "base/map.h"
#include "base/utf8.h"
#include "proto/mqtt/topic.h"

#include <errno.h>
#include <string.h>

/* Those of one user or role, of everybody or of those without a name: first what is denied. */
struct rule_list {
        struct topic_rule *rules;
        size_t count, denying, capacity;
};

struct acl {
        enum acl_filters filters;
        size_t count;
        struct rule_list everybody, anonymous;
        struct map *users, *roles; /* struct rule_list */
};

int acl_new(enum acl_filters filters, struct acl **ret)
{
        AUTO(acl) struct acl *acl = calloc(1, sizeof(*acl));
        int r;

        if (!acl)
                return -ENOMEM;
        acl->filters = filters;
        r = map_new(ACL_RULES_MAX, &acl->users);
        if (r == 0)
                r = map_new(ACL_RULES_MAX, &acl->roles);
        if (r < 0)
                return r;
        *ret = TAKE(acl);
        return 0;
}

static void list_done(struct rule_list *list)
{
        for (size_t i = 0; i < list->count; i++)
                free((char *)list->rules[i].topic.bytes);
        free(list->rules);
}

static void lists_free(struct map *lists)
{
        struct rule_list *list;
        size_t position = 0;

        while (lists && (list = map_next(lists, &position, NULL))) {
                list_done(list);
                free(list);
        }
        map_free(lists);
}

struct acl *acl_free(struct acl *acl)
{
        if (!acl)
                return NULL;
        list_done(&acl->everybody);
        list_done(&acl->anonymous);
        lists_free(acl->users);
        lists_free(acl->roles);
        free(acl);
        return NULL;
}

static bool is_filter(const char *topic)
{
        size_t length = strlen(topic);
        struct mqtt_text text = {topic, (uint16_t)length}, share, rest;

        return length <= ACL_RULE_MAX && utf8_valid_prefix(topic, length) == length &&
               mqtt_topic_filter_is_valid(text) &&
               !mqtt_topic_filter_split_shared(text, &share, &rest);
}

static int check(const struct acl *acl, const struct acl_rule *rule, struct error *error)
{
        if (rule->access == 0 || rule->access & ~ACL_READWRITE)
                return error_set(error, -EINVAL, "the rule does not say what it is about");
        if (rule->whom == ACL_USER && user_name_check(rule->name, error) < 0)
                return -EINVAL;
        if (rule->whom == ACL_ROLE && (rule->name[0] == '\0' || strlen(rule->name) > USER_ROLE_MAX))
                return error_set(error, -EINVAL, "the name of a role has 1 to %d bytes",
                                 USER_ROLE_MAX);
        if (!is_filter(rule->topic))
                return error_set(error, -EINVAL,
                                 "\"%.100s\" is not a topic filter of at most %d bytes",
                                 rule->topic, ACL_RULE_MAX);
        if (acl->count == ACL_RULES_MAX)
                return error_set(error, -ENOSPC, "there are more than %d rules", ACL_RULES_MAX);
        return 0;
}

/* The list in `lists`, made if need be. */
static int list_of_name(struct map *lists, const char *name, struct rule_list **ret)
{
        struct rule_list *list = map_get(lists, name, strlen(name));
        int r;

        if (!list) {
                list = calloc(1, sizeof(*list));
                r = list ? map_put(lists, name, list, NULL) : -ENOMEM;
                if (r < 0) {
                        free(list);
                        return r;
                }
        }
        *ret = list;
        return 0;
}

static int list_of_rule(struct acl *acl, const struct acl_rule *rule, struct rule_list **ret)
{
        switch (rule->whom) {
        case ACL_USER:
                return list_of_name(acl->users, rule->name, ret);
        case ACL_ROLE:
                return list_of_name(acl->roles, rule->name, ret);
        case ACL_ANONYMOUS:
                *ret = &acl->anonymous;
                return 0;
        case ACL_EVERYBODY:
                break;
        }
        *ret = &acl->everybody;
        return 0;
}

static int list_reserve(struct rule_list *list)
{
        size_t capacity = list->capacity ? list->capacity * 2 : 4;
        void *rules;

        if (list->count < list->capacity)
                return 0;
        rules = reallocarray(list->rules, capacity, sizeof(list->rules[0]));
        if (!rules)
                return -ENOMEM;
        list->rules = rules;
        list->capacity = capacity;
        return 0;
}

static int list_add(struct rule_list *list, const struct acl_rule *rule)
{
        struct topic_rule added = {
                .access = rule->access,
                .denies = rule->denies,
                .has_placeholders =
                        !rule->literal && (strstr(rule->topic, "%u") || strstr(rule->topic, "%c")),
        };
        int r = list_reserve(list);

        if (r < 0)
                return r;
        added.topic.bytes = strdup(rule->topic);
        added.topic.length = (uint16_t)strlen(rule->topic);
        if (!added.topic.bytes)
                return -ENOMEM;
        topic_rule_find_prefix(&added);
        if (rule->denies) {
                list->rules[list->count] = list->rules[list->denying];
                list->rules[list->denying++] = added;
        } else {
                list->rules[list->count] = added;
        }
        list->count++;
        return 0;
}

int acl_add(struct acl *acl, const struct acl_rule *rule, struct error *error)
{
        struct rule_list *list;
        int r = check(acl, rule, error);

        if (r < 0)
                return r;
        r = list_of_rule(acl, rule, &list);
        if (r == 0 && list->count == ACL_RULES_OF_ONE_MAX)
                return error_set(error, -ENOSPC,
                                 "there are more than %d rules for the same user or role, or for "
                                 "everybody",
                                 ACL_RULES_OF_ONE_MAX);
        if (r == 0)
                r = list_add(list, rule);
        if (r < 0)
                return error_set(error, r, "not enough memory");
        acl->count++;
        return 0;
}

size_t acl_count(const struct acl *acl)
{
        return acl->count;
}

/* Who is asked for has at most three lists. */
struct lists {
        const struct rule_list *items[3];
        size_t count;
};

static void lists_of(const struct acl *acl, const struct acl_subject *subject, struct lists *ret)
{
        const struct rule_list *own =
                subject->user.length == 0
                        ? &acl->anonymous
                        : map_get(acl->users, subject->user.bytes, subject->user.length);
        const struct rule_list *of_role =
                subject->role.length == 0
                        ? NULL
                        : map_get(acl->roles, subject->role.bytes, subject->role.length);

        *ret = (struct lists){0};
        if (own)
                ret->items[ret->count++] = own;
        if (of_role)
                ret->items[ret->count++] = of_role;
        ret->items[ret->count++] = &acl->everybody;
}

typedef bool match_fn(const struct topic_rule *rule, const struct acl_subject *subject,
                      struct mqtt_text topic);

static bool any(const struct topic_rule *rules, size_t count, const struct acl_subject *subject,
                uint8_t access, struct mqtt_text topic, match_fn *match)
{
        for (size_t i = 0; i < count; i++) {
                if (rules[i].access & access && match(&rules[i], subject, topic))
                        return true;
        }
        return false;
}

static bool allows(const struct acl *acl, const struct acl_subject *subject, uint8_t access,
                   struct mqtt_text topic, match_fn *match)
{
        struct lists lists;

        lists_of(acl, subject, &lists);
        for (size_t i = 0; i < lists.count; i++) {
                const struct rule_list *list = lists.items[i];

                if (any(list->rules, list->denying, subject, access, topic, topic_rule_covers))
                        return false;
        }
        for (size_t i = 0; i < lists.count; i++) {
                const struct rule_list *list = lists.items[i];

                if (list->count > list->denying &&
                    any(list->rules + list->denying, list->count - list->denying, subject, access,
                        topic, match))
                        return true;
        }
        return false;
}

bool acl_allows_topic(const struct acl *acl, const struct acl_subject *subject,
                      enum acl_access access, struct mqtt_text topic)
{
        return allows(acl, subject, (uint8_t)access, topic, topic_rule_covers);
}

bool acl_allows_filter(const struct acl *acl, const struct acl_subject *subject,
                       struct mqtt_text filter)
{
        struct mqtt_text share, rest;

        if (mqtt_topic_filter_split_shared(filter, &share, &rest))
                filter = rest;
        return allows(acl, subject, ACL_SUBSCRIBE, filter,
                      acl->filters == ACL_FILTERS_WHOLE ? topic_rule_covers : topic_rule_meets);
}
