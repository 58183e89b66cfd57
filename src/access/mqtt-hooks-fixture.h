/* access/mqtt-hooks-fixture.h - a broker with users and rules, and its clients, for tests. They
 * talk in bytes (mqtt/conversation-fixture.h). */
#pragma once

#include "access/acl-file.h"
#include "access/mqtt-hooks.h"
#include "access/password-fixture.h"
#include "mqtt/conversation-fixture.h"

/* Of "the token of a server": fast, and so known at once. */
#define FAST_HASH "blake2b:d9429ad1ed097559e0f73834e2f5ec0556e419b295626eef4ca4c16278542e93"
#define FAST "the token of a server"

#define LOGIN_5(id, user, password) "10{[MQTT] 05 C2 0000 () [" id "] [" user "] [" password "]}\n"
#define LOGIN_311(id, user, password) "10{[MQTT] 04 C2 0000 [" id "] [" user "] [" password "]}\n"

struct fixture {
        struct conversation talk;
        struct loop_work *work;
        struct held_work held;
        struct access_rules rules;
        struct access_policy policy;
        struct access_mqtt_options options;
        struct access_mqtt *access;
        struct certificate_facts facts; /* what certificates say */
        bool has_certificate;
        char *certificate[3];        /* what was read of it */
        struct access_report report; /* the last; its texts are copies in: */
        char client_id[64], user[64], topic[64];
        unsigned reports;
};

struct user_table *users_of(const char *const names[], const char *const hashes[], size_t count);
/* "ann" and "ben", with the first and the second secret; "fred" and "gina", with FAST. */
struct user_table *everybody(void);
struct acl *acl_of(const char *file);

/* Takes the tables over, each of which may be NULL. */
void fixture_open(struct fixture *f, struct user_table *users, struct acl *acl);
void fixture_close(struct fixture *f);
void run(struct fixture *f, const char *script);
/* Until all passwords are verified, and what comes of it is sent. */
void verify(struct fixture *f);
