/* agent/ndjson/connection-fixture.h - the command server with a few commands, on real
 * sockets and a virtual clock, for tests. */
#pragma once

#include "agent/ndjson/server.h"

#include "command/reply.h"
#include "support/test.h"

#include <stdio.h>
#include <unistd.h>

enum { HELD_MAX = 512 };

struct fixture {
        struct loop *loop;
        struct command_bus *bus;
        struct command_registry *registry;
        struct net_context *net;
        struct log *log;
        struct ndjson_config config;
        struct ndjson_server *server;
        enum command_role role;
        struct command_request *held[HELD_MAX];
        size_t held_count;
        unsigned pings;
        bool stopped;
        command_identified_fn *identified; /* of a token that is being verified */
        void *context;
};

/* Its commands: auth and ping; hold, which waits for release_held(); fill, whose reply has
 * 4 KiB. At most three connections. */
void fixture_open(struct fixture *f);
/* Answers what is held. */
void fixture_close(struct fixture *f);
/* The client's end. */
int fixture_connect(struct fixture *f);

/* Rounds of the loop, as many as anything here needs. */
void turn(struct fixture *f);
void say(struct fixture *f, int fd, const char *text);
/* All that came, as text that lives until the next call; "EOF" at its end when the
 * connection is closed. */
const char *hear(struct fixture *f, int fd);
size_t count_lines(const char *text);
void release_held(struct fixture *f, size_t index);
