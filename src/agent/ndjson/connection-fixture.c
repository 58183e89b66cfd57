#include "agent/ndjson/connection-fixture.h"

#include "data/json.h"
#include "support/wire.h"

#include <sys/socket.h>

static int run_ping(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        f->pings++;
        command_reply_open(request, "pong");
        return command_reply_send(request);
}

static int run_hold(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        CHECK(f->held_count < HELD_MAX);
        f->held[f->held_count++] = request;
        return COMMAND_PENDING;
}

static int run_fill(void *owner, struct command_request *request)
{
        struct json_writer *writer = command_reply_open(request, NULL);
        char text[4096];

        (void)owner;
        memset(text, 'x', sizeof(text));
        json_write_text(writer, "text", text, sizeof(text));
        return command_reply_send(request);
}

static const struct command commands[] = {
        {.name = "auth", .role = COMMAND_ROLE_NONE, .run = run_ping, .authenticates = true},
        {.name = "ping", .role = COMMAND_ROLE_VIEWER, .run = run_ping},
        {.name = "hold", .role = COMMAND_ROLE_VIEWER, .run = run_hold, .timeout_ms = 3600000},
        {.name = "fill", .role = COMMAND_ROLE_VIEWER, .run = run_fill},
};

static void admit(void *owner, int fd, const struct net_address *peer,
                  struct command_principal *ret)
{
        struct fixture *f = owner;

        (void)fd;
        (void)peer;
        *ret = (struct command_principal){.role = f->role};
}

void fixture_open(struct fixture *f)
{
        struct ndjson_setup setup;

        *f = (struct fixture){.role = COMMAND_ROLE_ADMIN};
        f->config = (struct ndjson_config){.idle_timeout = 30, .max_line = 1 << 20};
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(log_new("/dev/null", LOG_LEVEL_DEBUG, &f->log), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(command_registry_add(f->registry, commands, ARRAY_SIZE(commands), "test", f, NULL),
                 0);
        CHECK_EQ(net_context_new(f->loop, 64 << 20, &f->net), 0);
        setup = (struct ndjson_setup){.registry = f->registry,
                                      .net = f->net,
                                      .log = f->log,
                                      .connections_max = 3,
                                      .admit = admit,
                                      .admit_owner = f};
        CHECK_EQ(ndjson_server_new(&f->config, &setup, &f->server), 0);
}

void fixture_close(struct fixture *f)
{
        for (size_t i = 0; i < f->held_count; i++) {
                if (f->held[i])
                        command_reply_fail(f->held[i], COMMAND_NOT_READY, "the test is over");
        }
        ndjson_server_free(f->server);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        net_context_free(f->net);
        loop_free(f->loop);
        log_free(f->log);
}

int fixture_connect(struct fixture *f)
{
        struct net_address peer;
        int pair[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        CHECK_EQ(net_address_parse("127.0.0.1", 4711, &peer, NULL), 0);
        ndjson_server_adopt(f->server, "tcp", pair[0], &peer);
        return pair[1];
}

void turn(struct fixture *f)
{
        wire_turn(f->loop);
}

void say(struct fixture *f, int fd, const char *text)
{
        wire_say(f->loop, fd, text);
}

const char *hear(struct fixture *f, int fd)
{
        return wire_hear(f->loop, fd);
}

size_t count_lines(const char *text)
{
        size_t count = 0;

        for (; *text; text++)
                count += *text == '\n';
        return count;
}

void release_held(struct fixture *f, size_t index)
{
        struct command_request *request = f->held[index];

        f->held[index] = NULL;
        command_reply_open(request, NULL);
        command_reply_send(request);
}
