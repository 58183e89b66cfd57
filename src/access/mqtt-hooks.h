/* access/mqtt-hooks.h - users, certificates and ACLs as the hooks of a broker.
 *
 *     r = access_mqtt_new(&options, &access);
 *     r = mqtt_broker_new(loop, net, &limits, access_mqtt_hooks(access), &broker);
 *     access_mqtt_start(access, broker);
 *     …
 *     broker = mqtt_broker_free(broker);
 *     access = access_mqtt_free(access);
 *
 * CONNECT is answered with 0x86 (in 3.1.1 4) for a wrong user name or password, 0x87 (5) for
 * none where one is needed, 0x89 (3) when it cannot be looked at now. What an ACL denies is
 * 0x87 (for a filter, in 3.1.1 0x80); in 3.1.1 a PUBLISH is acknowledged and dropped.
 *
 * Sessions belong to users: access/owner.h. Loop thread. */
#pragma once

#include "access/certificate-identity.h"
#include "access/login.h"
#include "mqtt/broker.h"

/* Who may come without a user name and a password. */
enum access_anonymous {
        ACCESS_ANONYMOUS_LOCAL, /* from loopback addresses and Unix sockets only */
        ACCESS_ANONYMOUS_ALLOWED,
        ACCESS_ANONYMOUS_REFUSED,
};

/* How one listener knows its clients. */
struct access_policy {
        enum access_anonymous anonymous;
        uint8_t anonymous_access; /* of enum acl_access, beside the ACL; ACL_READ: a guest */
        /* Where there are no users, a name is taken as it comes, and rules for it count: as
         * mosquitto does without a password_file. Else it is only a word, and its client has no
         * name. */
        bool trusts_names;
        /* A certificate that names its holder replaces name and password; one that was to and
         * does not, or no certificate: 0x86 for a user, 0x85 for a client id. */
        enum certificate_identity user_from, client_id_from;
        struct access_rules *rules; /* outlives the broker */
};
/* Local anonymous clients may do everything that the rules allow. */
void access_policy_init(struct access_policy *policy, struct access_rules *rules);

enum access_event {
        ACCESS_REFUSED_CREDENTIALS, /* wrong user name or password */
        ACCESS_REFUSED_ANONYMOUS,
        ACCESS_REFUSED_SLOWED,
        ACCESS_REFUSED_BUSY,
        ACCESS_REFUSED_CERTIFICATE,
        ACCESS_DENIED_PUBLISH,
        ACCESS_DENIED_SUBSCRIBE,
};
const char *access_event_sentence(enum access_event event); /* "wrong user name or password" */

struct access_mqtt_options {
        struct loop *loop;
        struct verifier *verifier; /* both outlive the broker */
        struct slowdown *slowdown;
        /* What counts for who comes; asked once, at CONNECT. */
        const struct access_policy *(*policy)(void *owner, const struct mqtt_who *who);
        /* What a certificate says; NULL: there are none. -ENOENT: this client has none. */
        int (*certificate)(void *owner, const struct mqtt_who *who, struct certificate_facts *ret);
        /* For the log, which has to bound it: strangers cause it. `topic`: of what was denied.
         * May be NULL. Must not call the broker. */
        void (*on_event)(void *owner, enum access_event event, const struct mqtt_who *who,
                         struct mqtt_text topic);
        void *owner;
};

struct access_mqtt;

int access_mqtt_new(const struct access_mqtt_options *options, struct access_mqtt **ret);
/* After the broker; nothing is under way by then, or it is forgotten. */
struct access_mqtt *access_mqtt_free(struct access_mqtt *access);
DEFINE_CLEANUP(access_mqtt)

/* `owner` is the access_mqtt, on_stopped is NULL. A program that has more to say copies them,
 * and calls these from its own. */
const struct mqtt_hooks *access_mqtt_hooks(const struct access_mqtt *access);
/* Where answers that take a while go. Before the first client. */
void access_mqtt_start(struct access_mqtt *access, struct mqtt_broker *broker);

/* The name under which a client was let in, by password or certificate; empty: none. Of an
 * identity that these hooks gave. */
struct mqtt_text access_mqtt_user(const void *identity);
