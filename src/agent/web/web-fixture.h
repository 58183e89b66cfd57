/* agent/web/web-fixture.h - HTTP with a few commands and users, on real sockets and a virtual
 * clock, for tests. */
#pragma once

#include "agent/web/web.h"

#include "support/test.h"

#include <stdio.h>
#include <unistd.h>

#define HOST "Host: 127.0.0.1\r\n"
#define JSON "Content-Type: application/json\r\n"
#define AS(token) "Authorization: Bearer " token "\r\n"

enum { HELD_MAX = 8 };

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct net_context *net;
        struct log *log;
        struct web_config config;
        struct web_options options;
        struct web *web;
        struct command_principal anybody; /* without a token; nobody to begin with */
        struct command_request *held[HELD_MAX];
        size_t held_count;
        unsigned pings, stopped;
        char who[COMMAND_PRINCIPAL_NAME_MAX]; /* of the last ping */
        /* Tokens "viewer", "operator" and "admin" are those of users of the same name; any
         * other is wrong, but "slowed" is not looked at. With `slow` all is known later. */
        bool slow;
        unsigned asked; /* about tokens */
        command_identified_fn *identified;
        void *context;
        char token[1024]; /* the last */
};

/* Commands: ping; hold, which waits for release_held(); echo, whose reply has its arguments;
 * fault; change, for operators; fill, whose reply has as many bytes as it says. What is set in
 * `config` and `anybody` stays. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
/* The client's end; from 127.0.0.1, or another address. */
int fixture_connect(struct fixture *f);
int fixture_connect_from(struct fixture *f, const char *host);
/* What slow tokens are is known now. */
void fixture_identify(struct fixture *f);
void release_held(struct fixture *f, size_t index);

void turn(struct fixture *f);
void advance(struct fixture *f, uint64_t milliseconds);
void say(struct fixture *f, int fd, const char *text);
/* All that came, without lines of Date and without timestamps, as text that lives until the
 * next call; "EOF" at its end when the connection is closed. */
const char *hear(struct fixture *f, int fd);
/* POST /api/command with a body. `fields` end their lines. */
void call_on(struct fixture *f, int fd, const char *fields, const char *body);
/* The same on a connection of its own: what comes. */
const char *call(struct fixture *f, const char *fields, const char *body);
/* GET in the same way. */
const char *get(struct fixture *f, const char *path, const char *fields);
