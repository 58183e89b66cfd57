/* agent/gate/gate-fixture.h - a gate with a few commands and users, on real sockets and a
 * virtual clock, for tests. Clients talk in bytes (mqtt/conversation-fixture.h). */
#pragma once

#include "agent/gate/gate.h"

#include "mqtt/conversation-fixture.h"

enum { HELD_MAX = 300 };

/* CONNECT as `id`, of somebody without a password, and as a user with one. */
#define LOGIN_5(id) CONNECT_5(id)
#define LOGIN_5_AS(id, user, password)                                                             \
        "10{[MQTT] 05 C2 0000 () [" id "] [" user "] [" password "]}\n"
#define LOGIN_311_AS(id, user, password)                                                           \
        "10{[MQTT] 04 C2 0000 [" id "] [" user "] [" password "]}\n"
/* What a broker with the default limits answers. */
#define WELCOME_5 "20{00 00 (22 0020 27 00100000 21 0400)}\n"
#define WELCOME_311 "20{00 00}\n"

struct fixture {
        struct conversation talk;
        struct command_bus *bus;
        struct command_registry *registry;
        struct log *log;
        struct gate_config config;
        struct gate_options options;
        struct gate *gate;
        struct loop_work *work;           /* of users' passwords */
        struct command_principal anybody; /* without a password; an operator to begin with */
        struct command_request *held[HELD_MAX];
        size_t held_count;
        unsigned pings, changes;
        char lease_token[64]; /* that came with the last ping */
        bool stopped;
        /* Passwords "viewer", "operator" and "admin" are those of users of the same name; any
         * other is wrong, but "slowed" is not looked at. With `slow` all is known later. */
        bool slow;
        command_identified_fn *identified;
        void *context;
        char token[1024]; /* the last */
};

/* Commands: ping; hold, which waits for release_held(); echo, whose reply has its arguments;
 * and change, for operators. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* Lets the users and rules of a section count: "mqtt: {users: [...]}". */
void fixture_set_users(struct fixture *f, const char *yaml);
/* Users' passwords are verified now. */
void fixture_verify(struct fixture *f);
/* What slow passwords are is known now. */
void fixture_identify(struct fixture *f);
void release_held(struct fixture *f, size_t index);
void on_stopped(void *fixture);
/* Whether all of `text` is somewhere in what `client` ('a') was sent and no step has named. */
bool heard(struct fixture *f, char client, const char *text);
