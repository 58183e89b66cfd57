/* access/acl.h - who may publish to, subscribe to and receive which topics.
 *
 * Rules allow or deny, for one user, one role, those without a name, or everybody. What any
 * rule that counts for a client denies is denied; of the rest that is allowed which one of
 * them allows; all else is denied. The order of rules does not matter.
 *
 * A topic of a rule is a filter. %u in it stands for the name of the user, %c for the client
 * id. A name or an id with '+', '#' or '/' in it, and one that is not there, is no part of a
 * topic: a rule that allows does not count for such a client, one that denies does with '+' in
 * that place. A rule whose topic begins with a wildcard says nothing of topics that begin with
 * '$' (4.7.2).
 *
 * Immutable once it is used. One thread. */
#pragma once

#include "base/cleanup.h"
#include "base/error.h"
#include "proto/mqtt/packet.h"

#include <stdbool.h>
#include <stdint.h>

enum {
        ACL_RULES_MAX = 100000,
        ACL_RULES_OF_ONE_MAX = 1000, /* user or role, or for everybody */
        ACL_RULE_MAX = 1024,         /* bytes of a rule's topic */
};

enum acl_access {
        ACL_RECEIVE = 1, /* messages are delivered */
        ACL_SUBSCRIBE = 2,
        ACL_WRITE = 4, /* publish */
        ACL_READ = ACL_RECEIVE | ACL_SUBSCRIBE,
        ACL_READWRITE = ACL_READ | ACL_WRITE,
};

/* Which subscriptions are accepted. Delivery is checked again in either case. */
enum acl_filters {
        /* What the filter can match one rule allows whole; parts of it may be denied. */
        ACL_FILTERS_WHOLE,
        /* What the filter can match and a rule allows have something in common: as brokers do
         * that check at delivery alone, without accepting what never brings anything. */
        ACL_FILTERS_PARTIAL,
};

enum acl_whom { ACL_EVERYBODY, ACL_USER, ACL_ROLE, ACL_ANONYMOUS };

struct acl_rule {
        enum acl_whom whom;
        const char *name;  /* ACL_USER, ACL_ROLE */
        const char *topic; /* a filter, not shared */
        uint8_t access;    /* of enum acl_access */
        bool denies;
        bool literal; /* %u and %c in it are text */
};

struct acl;

int acl_new(enum acl_filters filters, struct acl **ret); /* -ENOMEM; -EIO: no random numbers */
struct acl *acl_free(struct acl *acl);
DEFINE_CLEANUP(acl)

/* Copies. -EINVAL with a sentence: not a filter, a name that is none, no access; -ENOSPC with a
 * sentence; -ENOMEM. */
int acl_add(struct acl *acl, const struct acl_rule *rule, struct error *error);
size_t acl_count(const struct acl *acl);

/* Who is asked for. */
struct acl_subject {
        struct mqtt_text user;      /* empty: no name */
        struct mqtt_text role;      /* empty: none */
        struct mqtt_text client_id; /* empty: none */
};

/* May this topic be published to (ACL_WRITE), or delivered (ACL_RECEIVE)? */
bool acl_allows_topic(const struct acl *acl, const struct acl_subject *subject,
                      enum acl_access access, struct mqtt_text topic);
/* May this filter be subscribed to? As it came, "$share/" included. */
bool acl_allows_filter(const struct acl *acl, const struct acl_subject *subject,
                       struct mqtt_text filter);
