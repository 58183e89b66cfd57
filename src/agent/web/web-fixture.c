#include "agent/web/web-fixture.h"

#include "command/reply.h"
#include "data/json.h"
#include "support/wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static int run_ping(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        f->pings++;
        snprintf(f->who, sizeof(f->who), "%s", command_request_principal(request)->name);
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

static int run_echo(void *owner, struct command_request *request)
{
        (void)owner;
        json_write_tree(command_reply_open(request, NULL), "echo",
                        command_request_arguments(request));
        return command_reply_send(request);
}

static int run_fault(void *owner, struct command_request *request)
{
        (void)owner;
        (void)request;
        return -EIO;
}

static int run_fill(void *owner, struct command_request *request)
{
        int64_t count = 0;
        char *bytes;

        (void)owner;
        CHECK(json_get_integer(command_request_arguments(request), "count", &count));
        bytes = malloc((size_t)count);
        CHECK(bytes != NULL);
        memset(bytes, 'x', (size_t)count);
        json_write_text(command_reply_open(request, NULL), "text", bytes, (size_t)count);
        free(bytes);
        return command_reply_send(request);
}

static const struct command commands[] = {
        {.name = "ping", .role = COMMAND_ROLE_VIEWER, .run = run_ping},
        {.name = "hold", .role = COMMAND_ROLE_VIEWER, .run = run_hold, .timeout_ms = 3600000},
        {.name = "echo", .role = COMMAND_ROLE_VIEWER, .run = run_echo},
        {.name = "fault", .role = COMMAND_ROLE_VIEWER, .run = run_fault},
        {.name = "fill", .role = COMMAND_ROLE_VIEWER, .run = run_fill},
        {.name = "change", .role = COMMAND_ROLE_OPERATOR, .run = run_echo, .changes = true},
        {.name = "auth", .role = COMMAND_ROLE_NONE, .run = run_ping, .authenticates = true},
};

static void admit(void *owner, struct command_principal *ret)
{
        struct fixture *f = owner;

        *ret = f->anybody;
}

static void answer_token(struct fixture *f)
{
        struct command_principal principal = {.role = COMMAND_ROLE_NONE};
        struct error error = {.text = "this token is not known here"};
        command_identified_fn *identified = TAKE(f->identified);

        snprintf(principal.name, sizeof(principal.name), "%.20s", f->token);
        if (strcmp(f->token, "slowed") == 0)
                identified(f->context, -EAGAIN, NULL, &error, 1500);
        else if (command_role_parse(f->token, &principal.role))
                identified(f->context, 0, &principal, NULL, 0);
        else
                identified(f->context, -EACCES, NULL, &error, 0);
}

static void identify(void *owner, const struct command_session *session, const char *token,
                     command_identified_fn *identified, void *context)
{
        struct fixture *f = owner;

        CHECK_TEXT(session->transport, "http");
        f->asked++;
        snprintf(f->token, sizeof(f->token), "%s", token);
        f->identified = identified;
        f->context = context;
        if (!f->slow)
                answer_token(f);
}

void fixture_identify(struct fixture *f)
{
        CHECK(f->identified != NULL);
        answer_token(f);
        turn(f);
}

void fixture_open(struct fixture *f)
{
        struct config_section section = web_config_section(&f->config);
        struct web_config wanted = f->config;
        struct error error = {0};

        CHECK_EQ(config_defaults(&section, 1), 0);
        f->config.metrics = wanted.metrics > 0 ? wanted.metrics : f->config.metrics;
        f->config.names = wanted.names;
        if (wanted.page)
                f->config.page = wanted.page;
        if (wanted.event_streams > 0)
                f->config.event_streams = wanted.event_streams;
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(log_new("/dev/null", LOG_LEVEL_DEBUG, &f->log), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(command_registry_add(f->registry, commands, ARRAY_SIZE(commands), "test", f, NULL),
                 0);
        command_registry_set_identify(f->registry, identify, f);
        CHECK_EQ(net_context_new(f->loop, 64 << 20, &f->net), 0);
        f->options = (struct web_options){.config = &f->config,
                                          .net = f->net,
                                          .log = f->log,
                                          .connections_max = 8,
                                          .request_bytes = 200000,
                                          .admit = admit,
                                          .admit_owner = f};
        if (web_attach(f->registry, &f->options, &f->web, &error) < 0)
                FAIL("%s", error.text);
}

void fixture_close(struct fixture *f)
{
        struct config_section section = web_config_section(&f->config);

        f->web = web_free(f->web);
        for (size_t i = 0; i < f->held_count; i++)
                if (f->held[i])
                        command_reply_fail(f->held[i], COMMAND_NOT_READY, "the test is over");
        if (f->identified)
                answer_token(f);
        CHECK_EQ(net_context_budget(f->net)->used, 0);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        net_context_free(f->net);
        loop_free(f->loop);
        log_free(f->log);
        /* Those texts are the test's. */
        f->config.page = NULL;
        f->config.names = (struct config_texts){NULL, 0};
        config_done(&section, 1);
}

int fixture_connect_from(struct fixture *f, const char *host)
{
        struct net_address peer;
        int pair[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        CHECK_EQ(net_address_parse(host, 4711, &peer, NULL), 0);
        web_adopt(f->web, WEB_PLAIN, pair[0], &peer);
        return pair[1];
}

int fixture_connect(struct fixture *f)
{
        return fixture_connect_from(f, "127.0.0.1");
}

void turn(struct fixture *f)
{
        wire_turn(f->loop);
}

void advance(struct fixture *f, uint64_t milliseconds)
{
        wire_advance(f->loop, milliseconds);
}

void say(struct fixture *f, int fd, const char *text)
{
        wire_say(f->loop, fd, text);
}

static void drop(char *text, const char *start, const char *ends)
{
        char *place;

        while ((place = strstr(text, start))) {
                char *behind = place + strlen(start);

                behind += strcspn(behind, ends);
                memmove(place, behind, strlen(behind) + 1);
        }
}

const char *hear(struct fixture *f, int fd)
{
        char *text = wire_hear(f->loop, fd);

        drop(text, "\r\nDate: ", "\r");
        drop(text, ",\"timestamp\":", ",}");
        return text;
}

void release_held(struct fixture *f, size_t index)
{
        struct command_request *request = TAKE(f->held[index]);

        command_reply_open(request, NULL);
        command_reply_send(request);
        turn(f);
}

void call_on(struct fixture *f, int fd, const char *fields, const char *body)
{
        char head[4096];

        snprintf(head, sizeof(head),
                 "POST /api/command HTTP/1.1\r\n" HOST "%sContent-Length: %zu\r\n\r\n", fields,
                 strlen(body));
        say(f, fd, head);
        say(f, fd, body);
}

/* What came, once the client has gone. */
static const char *hear_and_close(struct fixture *f, int fd)
{
        const char *answer = hear(f, fd);

        close(fd);
        turn(f);
        return answer;
}

const char *call(struct fixture *f, const char *fields, const char *body)
{
        int fd = fixture_connect(f);

        call_on(f, fd, fields, body);
        return hear_and_close(f, fd);
}

const char *get(struct fixture *f, const char *path, const char *fields)
{
        int fd = fixture_connect(f);
        char head[4096];

        snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\n" HOST "%s\r\n", path, fields);
        say(f, fd, head);
        return hear_and_close(f, fd);
}
