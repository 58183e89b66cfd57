/* access/mqtt-hooks.h - users, certificates and ACLs as the hooks of a broker.
 *
 *     r = access_mqtt_new(&options, &access);
 *     r = mqtt_broker_new(loop, net, &limits, access_mqtt_hooks(access), &broker);
 *     access_mqtt_start(access, broker);
 *     …
 *     broker = mqtt_broker_free(broker);
 *     access = access_mqtt_free(access);
 *
 * CONNECT is answered with 0x87 (in 3.1.1 5, since 4 is for what is malformed) for a wrong user
 * name or password, for none where one is needed and for a will that may not be published: nobody
 * learns which it was. 0x89 (3): it cannot be looked at now. What an ACL denies is 0x87 (for a
 * filter, in 3.1.1 0x80); in 3.1.1 a PUBLISH is acknowledged and dropped. A will is asked for once
 * more when it is published, but for one that was read from a disk, whose client is not known any
 * more.
 *
 * Retained messages of those for whom there were rules are delivered as long as the rules allow
 * them to be published; a program that does not want that leaves on_retain and on_retained out.
 *
 * Sessions belong to users (access/owner.h). A user who is removed while connected stays so, and
 * is denied everything. Loop thread. */
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
        /* A certificate that names its holder replaces name and password. One that was to and
         * does not, or no certificate: 0x86. */
        enum certificate_identity user_from;
        /* The client id is what the certificate says: one that gives none gets it, another one is
         * refused with 0x85, as is a certificate that says nothing. */
        enum certificate_identity client_id_from;
        /* Who has a user name is known by it as client id, whatever id it gave. */
        bool client_id_is_user;
        struct access_rules *rules; /* outlives the broker */
        const char *place;          /* by which `rules` are found again; "": those of all */
};
/* Local anonymous clients may do everything that the rules allow. */
void access_policy_init(struct access_policy *policy, struct access_rules *rules);

enum access_event {
        ACCESS_REFUSED_CREDENTIALS, /* wrong user name or password */
        ACCESS_REFUSED_ANONYMOUS,
        ACCESS_REFUSED_SLOWED,
        ACCESS_REFUSED_BUSY,
        ACCESS_REFUSED_CERTIFICATE,
        ACCESS_REFUSED_CLIENT_ID, /* not that of its certificate */
        ACCESS_REFUSED_WILL,
        ACCESS_DENIED_PUBLISH,
        ACCESS_DENIED_SUBSCRIBE,
};
const char *access_event_sentence(enum access_event event); /* "wrong user name or password" */

/* For a log, which has to bound it: strangers cause it. */
struct access_report {
        enum access_event event;
        struct mqtt_text client_id, user;
        struct mqtt_text topic;      /* that was denied; else empty */
        const struct net_peer *peer; /* NULL: a will of a client that is gone */
};

struct access_mqtt_options {
        struct login login;
        /* What counts for who comes, at CONNECT; of who retains something only its place. */
        const struct access_policy *(*policy)(void *owner, const struct mqtt_who *who);
        /* What a certificate says; NULL: there are none. -ENOENT: this client has none. Texts are
         * valid until the next call. */
        int (*certificate)(void *owner, const struct mqtt_who *who, struct certificate_facts *ret);
        /* Those that count now at a place (access_policy): NULL: there is no such place, and what
         * was retained there is not delivered. Itself NULL: who retained something is not asked. */
        const struct access_rules *(*rules)(void *owner, struct mqtt_text place);
        /* May be NULL. Must not call the broker. */
        void (*on_report)(void *owner, const struct access_report *report);
        void *owner;
};

struct access_mqtt;

int access_mqtt_new(const struct access_mqtt_options *options, struct access_mqtt **ret);
/* After the broker, before the verifier. */
struct access_mqtt *access_mqtt_free(struct access_mqtt *access);
DEFINE_CLEANUP(access_mqtt)

/* `owner` is the access_mqtt; on_answered, on_disconnect and on_stopped are NULL. A program that
 * has more to say copies them, and calls these from its own. */
const struct mqtt_hooks *access_mqtt_hooks(const struct access_mqtt *access);
/* Where answers that take a while go. Before the first client. */
void access_mqtt_start(struct access_mqtt *access, struct mqtt_broker *broker);

/* The name under which a client was let in, by password or certificate; empty: none. Of an
 * identity that these hooks gave. */
struct mqtt_text access_mqtt_user(const void *identity);
