#include "agent/handler/handler-fixture.h"

#include "base/text-copy.h"
#include "data/json.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void handler_fixture_init(struct handler_fixture *f)
{
        const struct config_section section = handler_config_section(&f->config);

        *f = (struct handler_fixture){
                .session = {.id = 1,
                            .transport = "test",
                            .origin = "here",
                            .principal = {.name = "me", .role = COMMAND_ROLE_ADMIN}}};
        snprintf(f->state, sizeof(f->state), "%s/test-handler-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        CHECK(mkdtemp(f->state) != NULL);
        CHECK_EQ(config_defaults(&section, 1), 0);
        free(f->config.spawner);
        f->config.spawner = NULL;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
        (void)status;
        (void)type;
        (void)ftw;
        return remove(path);
}

void handler_fixture_done(struct handler_fixture *f)
{
        const struct config_section section = handler_config_section(&f->config);

        handler_fixture_stop(f);
        for (size_t i = 0; i < f->replies_count; i++)
                free(f->replies[i]);
        config_done(&section, 1);
        CHECK_EQ(nftw(f->state, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void on_event(void *owner, const struct command_event *event, uint64_t lost)
{
        struct handler_fixture *f = owner;
        const struct handler_event *what = event->payload;
        size_t length = strlen(f->said);

        CHECK_EQ(lost, 0);
        snprintf(f->said + length, sizeof(f->said) - length, "%s %s: %s\n",
                 handler_event_kind_name(what->kind), what->filename, what->text);
}

void handler_fixture_start(struct handler_fixture *f)
{
        const struct handler_options options = {.config = &f->config, .state_dir = f->state};
        struct error error;

        sandbox_fixture_init();
        CHECK_EQ(loop_new_virtual(1000, &f->loop), 0);
        CHECK_EQ(command_bus_new(f->loop, &f->bus), 0);
        CHECK_EQ(command_registry_new(f->loop, f->bus, &f->registry), 0);
        CHECK_EQ(command_bus_subscribe(f->bus, &handler_event_type, 64, on_event, f, &f->events),
                 0);
        if (handler_attach(f->registry, &options, &f->handler, &error) < 0)
                FAIL("attach: %s", error.text);
}

void handler_fixture_stop(struct handler_fixture *f)
{
        if (!f->handler)
                return;
        handler_stop(f->handler);
        f->handler = handler_free(f->handler);
        CHECK_EQ(command_registry_pending(f->registry), 0);
        f->events = command_subscription_free(f->events);
        command_registry_free(f->registry);
        command_bus_free(f->bus);
        loop_free(f->loop);
}

static void on_reply(void *owner, const char *json, size_t length, bool success)
{
        struct handler_fixture *f = owner;

        (void)success;
        CHECK(f->replies_count < HANDLER_FIXTURE_REPLIES);
        f->replies[f->replies_count++] = text_copy(json, length);
}

void handler_fixture_ask(struct handler_fixture *f, const char *json)
{
        const struct command_call call = {.session = &f->session,
                                          .object = cJSON_Parse(json),
                                          .on_reply = on_reply,
                                          .owner = f};
        struct command_request *pending = NULL;

        CHECK(call.object != NULL);
        command_dispatch(f->registry, &call, &pending);
}

void handler_fixture_update(struct handler_fixture *f, const char *filename, const char *code)
{
        char json[512];

        snprintf(json, sizeof(json),
                 "{\"command\":\"update_handler\",\"filename\":\"%s\",\"code\":\"%s\"}", filename,
                 code);
        handler_fixture_ask(f, json);
}

void handler_fixture_check_reply(struct handler_fixture *f, size_t index, const char *words)
{
        HANDLER_FIXTURE_AWAIT(f, f->replies_count > index);
        if (!strstr(f->replies[index], words))
                FAIL("%s is not in %s", words, f->replies[index]);
}

void handler_fixture_await_event(struct handler_fixture *f, const char *words)
{
        for (unsigned tries = 0; !strstr(f->said, words); tries++) {
                if (tries == 2000)
                        FAIL("never happened: %s; said: %s", words, f->said);
                loop_run_once(f->loop, 10);
        }
}

static const char *checker_of(void)
{
        return sandbox_fixture_has(COMPILER) ? COMPILER : VALIDATOR;
}

void handler_fixture_judge(struct handler_fixture *f, const char *report)
{
        struct sandbox_fixture_program *checker;
        size_t index;

        HANDLER_FIXTURE_AWAIT(f, sandbox_fixture_has(checker_of()));
        index = sandbox_fixture_find(checker_of());
        checker = &sandbox_fixture.programs[index];
        CHECK_EQ(write(checker->report, report, strlen(report)), strlen(report));
        if (checker->object >= 0)
                CHECK_EQ(write(checker->object, "object", 6), 6);
        sandbox_fixture_end(index, 0, 0);
}

void handler_fixture_host_says(struct handler_fixture *f, const char *filename, const char *json)
{
        unsigned char header[4] = {0, 0, (unsigned char)(strlen(json) >> 8),
                                   (unsigned char)strlen(json)};
        int fd;

        HANDLER_FIXTURE_AWAIT(f, sandbox_fixture_has(filename));
        fd = sandbox_fixture.programs[sandbox_fixture_find(filename)].conversation;
        CHECK_EQ(write(fd, header, 4), 4);
        CHECK_EQ(write(fd, json, strlen(json)), strlen(json));
}

/* What the agent has said to it by now, so that it is known to have been asked to load. */
static void await_load(struct handler_fixture *f, const char *filename)
{
        char bytes[512];
        int fd;

        HANDLER_FIXTURE_AWAIT(f, sandbox_fixture_has(filename));
        fd = sandbox_fixture.programs[sandbox_fixture_find(filename)].conversation;
        HANDLER_FIXTURE_AWAIT(f, recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0);
}

void handler_fixture_loads(struct handler_fixture *f, const char *filename, const char *command)
{
        char json[256];

        snprintf(json, sizeof(json),
                 "{\"loaded\":{\"protocol\":1,\"commands\":[{\"name\":\"%s\",\"description\":"
                 "\"d\"}],\"self_test\":null}}",
                 command);
        await_load(f, filename);
        handler_fixture_host_says(f, filename, json);
}

void handler_fixture_deploy(struct handler_fixture *f, const char *filename, const char *code,
                            const char *command)
{
        size_t index = f->replies_count;

        handler_fixture_update(f, filename, code);
        handler_fixture_judge(f, VALID);
        handler_fixture_loads(f, filename, command);
        handler_fixture_check_reply(f, index, "\"success\":true");
        CHECK(handler_fixture_serves(f, command));
}

void handler_fixture_write(const struct handler_fixture *f, const char *path, const char *text)
{
        char whole[256];
        FILE *file;

        snprintf(whole, sizeof(whole), "%s/%s", f->state, path);
        file = fopen(whole, "w");
        CHECK(file != NULL);
        CHECK(fputs(text, file) >= 0);
        CHECK_EQ(fclose(file), 0);
}

bool handler_fixture_serves(const struct handler_fixture *f, const char *command)
{
        return command_registry_find(f->registry, command) != NULL;
}
