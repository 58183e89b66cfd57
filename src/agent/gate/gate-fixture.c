#include "agent/gate/gate-fixture.h"

#include "agent/gate/gate-internal.h"
#include "base/attributes.h"
#include "command/reply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY = 64 << 20 };

static int run_ping(void *owner, struct command_request *request)
{
        struct fixture *f = owner;
        const char *token = command_request_lease_token(request);

        f->pings++;
        snprintf(f->lease_token, sizeof(f->lease_token), "%s", token ? token : "");
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
        struct json_writer *writer = command_reply_open(request, NULL);

        (void)owner;
        json_write_tree(writer, "said", command_request_arguments(request));
        return command_reply_send(request);
}

static int run_change(void *owner, struct command_request *request)
{
        struct fixture *f = owner;

        f->changes++;
        command_reply_open(request, NULL);
        return command_reply_send(request);
}

static const struct command commands[] = {
        {.name = "ping",
         .role = COMMAND_ROLE_VIEWER,
         .schema = "{\"type\":\"object\",\"additionalProperties\":false}",
         .run = run_ping},
        {.name = "hold", .role = COMMAND_ROLE_VIEWER, .run = run_hold, .timeout_ms = 3600000},
        {.name = "echo", .role = COMMAND_ROLE_VIEWER, .run = run_echo},
        {.name = "change", .role = COMMAND_ROLE_OPERATOR, .changes = true, .run = run_change},
};

static void admit(void *owner, struct command_principal *ret)
{
        struct fixture *f = owner;

        *ret = f->anybody;
}

static void tell(struct fixture *f, command_identified_fn *identified, void *context)
{
        static const struct error wrong = {-EACCES, "wrong"}, later = {-EAGAIN, "later"};
        struct command_principal principal = {0};

        snprintf(principal.name, sizeof(principal.name), "%.63s", f->token);
        if (strcmp(f->token, "slowed") == 0)
                identified(context, -EAGAIN, NULL, &later, 1000);
        else if (command_role_parse(f->token, &principal.role))
                identified(context, 0, &principal, NULL, 0);
        else
                identified(context, -EACCES, NULL, &wrong, 0);
}

static void identify(void *owner, const struct command_session *session, const char *token,
                     command_identified_fn *identified, void *context)
{
        struct fixture *f = owner;

        CHECK_TEXT(session->transport, "mqtt");
        CHECK(strlen(token) < sizeof(f->token));
        strcpy(f->token, token);
        if (f->slow) {
                f->identified = identified;
                f->context = context;
        } else {
                tell(f, identified, context);
        }
}

void fixture_identify(struct fixture *f)
{
        CHECK(f->identified);
        tell(f, TAKE(f->identified), f->context);
        conversation_settle(&f->talk);
}

void fixture_open(struct fixture *f)
{
        struct config_section section = gate_config_section(&f->config);

        *f = (struct fixture){.anybody = {COMMAND_ROLE_OPERATOR, "anybody"},
                              .talk.name = "conversation"};
        CHECK_EQ(config_defaults(&section, 1), 0);
        f->config.keep.sessions = MQTT_KEEP_MEMORY;
        CHECK_EQ(loop_new_virtual(1000, &f->talk.loop), 0);
        CHECK_EQ(log_new("/dev/null", LOG_LEVEL_DEBUG, &f->log), 0);
        CHECK_EQ(command_bus_new(f->talk.loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->talk.loop, f->bus, &f->registry), 0);
        CHECK_EQ(command_registry_add(f->registry, commands, ARRAY_SIZE(commands), "test", f, NULL),
                 0);
        command_registry_set_identify(f->registry, identify, f);
        CHECK_EQ(net_context_new(f->talk.loop, MEMORY, &f->talk.net), 0);
        f->options = (struct gate_options){
                .config = &f->config,
                .net = f->talk.net,
                .log = f->log,
                .connections_max = 5,
                .request_bytes = 1024,
                .admit = admit,
                .admit_owner = f,
                .login.loop = f->talk.loop,
        };
        CHECK_EQ(loop_work_new(f->talk.loop, VERIFIER_JOBS_MAX, &f->work), 0);
        CHECK_EQ(slowdown_new(&f->options.login.slowdown), 0);
        CHECK_EQ(verifier_new(f->talk.loop, f->work, f->options.login.slowdown,
                              &f->options.login.verifier),
                 0);
        CHECK_EQ(gate_attach(f->registry, &f->options, &f->gate, NULL), 0);
        f->talk.broker = f->gate->broker;
        for (size_t i = 0; i < CONVERSATION_CLIENTS; i++) {
                f->talk.fds[i] = -1;
                buffer_init(&f->talk.heard[i], MEMORY);
        }
}

void fixture_close(struct fixture *f)
{
        struct config_section section = gate_config_section(&f->config);

        f->gate = gate_free(f->gate);
        verifier_free(f->options.login.verifier);
        slowdown_free(f->options.login.slowdown);
        loop_work_free(f->work);
        for (size_t i = 0; i < f->held_count; i++) {
                if (f->held[i])
                        release_held(f, i);
        }
        if (f->identified)
                tell(f, TAKE(f->identified), f->context);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        CHECK_EQ(net_context_budget(f->talk.net)->used, 0);
        net_context_free(f->talk.net);
        loop_free(f->talk.loop);
        log_free(f->log);
        config_done(&section, 1);
        for (size_t i = 0; i < CONVERSATION_CLIENTS; i++) {
                if (f->talk.fds[i] >= 0)
                        close(f->talk.fds[i]);
                buffer_done(&f->talk.heard[i]);
        }
}

void fixture_set_users(struct fixture *f, const char *yaml)
{
        struct gate_config config;
        struct config_section section = gate_config_section(&config);
        struct error error = {0};

        if (config_parse("test", yaml, strlen(yaml), &section, 1, &error) < 0 ||
            gate_set_users(f->gate, &config, &error) < 0)
                FAIL("%s", error.text);
        config_done(&section, 1);
}

void fixture_verify(struct fixture *f)
{
        for (int rounds = 0; verifier_jobs(f->options.login.verifier) > 0 && rounds < 10000;
             rounds++)
                loop_run_once(f->talk.loop, 100);
        CHECK_EQ(verifier_jobs(f->options.login.verifier), 0);
        conversation_settle(&f->talk);
}

void release_held(struct fixture *f, size_t index)
{
        struct command_request *request = f->held[index];

        f->held[index] = NULL;
        command_reply_open(request, NULL);
        command_reply_send(request);
        if (f->gate)
                conversation_settle(&f->talk);
}

void on_stopped(void *fixture)
{
        struct fixture *f = fixture;

        f->stopped = true;
}

bool heard(struct fixture *f, char client, const char *text)
{
        const struct buffer *all = &f->talk.heard[client - 'a'];

        return memmem(buffer_data(all), buffer_length(all), text, strlen(text)) != NULL;
}
